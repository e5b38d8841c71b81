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
MARGIN_MS = 10
"""The broker counts in milliseconds."""
UNKNOWN_MS = 10_000
"""Looked back where nobody noted the beginning."""

_asks_again_at = 0.0


def get_positions(
    request: HttpRequest | None, rooms: Sequence[str]
) -> dict[str, Position]:
    """Return the rooms' positions at the request's beginning; those that cannot be had are missing. One round trip for new ones."""
    known: dict[str, Position] = getattr(request, "_realtime_positions", {})
    missing = [room for room in rooms if room not in known]
    if missing and monotonic() >= _asks_again_at:
        began = getattr(request, "realtime_began", None)
        back_ms = UNKNOWN_MS if began is None else int((monotonic() - began) * 1000)
        known = {**known, **_ask(missing, back_ms + MARGIN_MS)}
        if request is not None:
            request._realtime_positions = known  # type: ignore[attr-defined]
    return {room: known[room] for room in rooms if room in known}


def _ask(rooms: Sequence[str], back_ms: int) -> dict[str, Position]:
    global _asks_again_at
    try:
        found = get_positions_of(rooms, back_ms=back_ms, timeout_s=TIMEOUT_S)
    except (RedisError, OSError, ImproperlyConfigured) as error:
        _asks_again_at = monotonic() + RESTS_S
        logger.info("Pages are made without positions: %s", error)
        return {}
    return dict(zip(rooms, found, strict=True))
