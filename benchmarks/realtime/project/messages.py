"""What is published."""

from __future__ import annotations

from realtime.messages import Message

LANES = 10
"""Things that states are about."""


class BenchEvent(Message, type="bench_event", delivery="event"):
    """Something that everybody has to get."""

    t: int
    """When it was due, CLOCK_MONOTONIC in nanoseconds."""
    n: int
    """Its number in the room."""
    pad: str


class BenchState(
    Message, type="bench_state", delivery="state", entity="bench:{bench_id}"
):
    """Something of which the newest counts."""

    t: int
    """When it was due, CLOCK_MONOTONIC in nanoseconds."""
    m: int
    """Its number in the room."""
    bench_id: int
    pad: str
