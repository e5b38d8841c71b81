"""Where it is published: one room of everybody, or many small ones."""

from __future__ import annotations

from benchmarks.realtime.project.messages import BenchEvent, BenchState
from realtime.rooms import Room


class BenchRoom(Room):
    pattern = "bench"
    messages = frozenset({BenchEvent, BenchState})


class NumberedRoom(Room):
    """One of many small ones."""

    pattern = "bench:{number}"
    messages = frozenset({BenchEvent, BenchState})
