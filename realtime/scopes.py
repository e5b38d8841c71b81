"""What a key is good for: `scan` is that room, `series:*` all that begin so, `*` every room, `metrics` the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from realtime.rooms import MAX_NAME

METRICS = "metrics"
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*\*?|\*")


def find_mistake(scope: object) -> str | None:
    """Return what is wrong with a scope, in a sentence."""
    if (
        isinstance(scope, str)
        and len(scope) <= MAX_NAME
        and _SCOPE.fullmatch(scope) is not None
    ):
        return None
    return f"Expected a scope like scan, series:*, * or {METRICS}, got {str(scope)[:100]!r}."


def allows(scopes: Iterable[str], room: str) -> bool:
    """Return whether one of the scopes is for the room; `metrics` is for none."""
    return covers((scope for scope in scopes if scope != METRICS), room)


def covers(patterns: Iterable[str], room: str) -> bool:
    """Return whether a room is named, or begins as one of those that end in `*`."""
    return any(
        room.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == room
        for pattern in patterns
    )
