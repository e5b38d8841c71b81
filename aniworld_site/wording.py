"""Spans of time in words."""

from __future__ import annotations

from datetime import timedelta

SPACE = "\N{NO-BREAK SPACE}"
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def describe_rhythm(every: timedelta) -> str:
    """Say how often something is done, like "every 2 hours"."""
    every_s = every.total_seconds()
    for unit, size_s in UNITS:
        if every_s and every_s % size_s == 0:
            count = int(every_s // size_s)
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {every_s:g} seconds"


def describe_time(taken: timedelta) -> str:
    """Say how long something took, like "0.2 s" or "3 min 20 s"."""
    seconds = max(taken.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return (f"{minutes}{SPACE}min " if minutes else "") + f"{rest}{SPACE}s"
