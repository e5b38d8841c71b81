"""Where rooms are, for a page that is being rendered.

The position is that of the request's beginning: whatever was read for the page is at least as new, so what happened between reading
and joining is delivered, and at worst told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import monotonic

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from redis.exceptions import RedisError

from realtime.history import Position, get_positions_of

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.3
RESTS_S = 5.0
"""Pages do not ask again for so long when the broker did not answer."""
TICK_S = 0.002
"""What counting in whole milliseconds, here and at the broker, may be off."""
MARGINS_S = (0.01, 0.1, 1.0)
"""Within which the broker may answer, one after the other: what is looked back too far is told twice."""
UNKNOWN_S = 10.0
"""Looked back where nobody noted the beginning."""

_asks_again_at = 0.0


def get_positions(
    request: HttpRequest | None, rooms: Sequence[str]
) -> dict[str, Position]:
    """Return the rooms' positions at the request's beginning; those that cannot be had are missing. Mostly one round trip for new ones."""
    known: dict[str, Position] = getattr(request, "_realtime_positions", {})
    missing = [room for room in rooms if room not in known]
    if missing and monotonic() >= _asks_again_at:
        began = getattr(request, "realtime_began", monotonic() - UNKNOWN_S)
        known = {**known, **_ask(missing, began)}
        if request is not None:
            request._realtime_positions = known  # type: ignore[attr-defined]
    return {room: known[room] for room in rooms if room in known}


def _ask(rooms: Sequence[str], began: float) -> dict[str, Position]:
    global _asks_again_at
    try:
        # The broker looks back from when it answers: where that took longer than the margin, the position is younger than the page.
        for margin_s in MARGINS_S:
            back_s = monotonic() - began + margin_s
            found = get_positions_of(
                rooms, back_ms=int(back_s * 1000), timeout_s=TIMEOUT_S
            )
            if monotonic() - began + TICK_S <= back_s:
                return dict(zip(rooms, found, strict=True))
    except (RedisError, OSError, ImproperlyConfigured) as error:
        _asks_again_at = monotonic() + RESTS_S
        logger.info("Pages are made without positions: %s", error)
    return {}
