"""Where it is published: one room of everybody, or many small ones."""

from __future__ import annotations

from typing import Any

from benchmarks.realtime.project.messages import BenchEvent, BenchState
from benchmarks.realtime.project.queries import work
from realtime.rooms import Room


class BenchRoom(Room):
    pattern = "bench"
    messages = frozenset({BenchEvent, BenchState})


class NumberedRoom(Room):
    """One of many small ones."""

    pattern = "bench:{number}"
    messages = frozenset({BenchEvent, BenchState})


class QueryRoom(Room):
    """Whoever wants in keeps the database busy."""

    pattern = "query:{ms}"
    messages = frozenset({BenchEvent})

    def may_join(self, user: Any) -> bool:
        work(int(self.params["ms"]))
        return True
