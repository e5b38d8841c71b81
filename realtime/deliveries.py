"""Frames as they go over the wire, encoded once for however many connections."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property

WINDOW = 64
"""Frames that a client may leave unacknowledged; a large one counts as several, so that these are 256 KiB at most."""
COUNTS_ONCE_BYTES = 4 * 1024


class Delivery:
    """Frames that are written together, encoded once for however many connections."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    @cached_property
    def wire(self) -> bytes:
        """As unmasked WebSocket text frames. Source: RFC 6455, 5.2."""
        return b"".join(map(frame, self.texts))

    @cached_property
    def cost(self) -> int:
        """What they take of a window: a large frame counts as several, at most as a whole window."""
        if sum(map(len, self.texts)) < COUNTS_ONCE_BYTES // 4:
            return len(self.texts)
        return sum(map(_count, self.texts))

    @cached_property
    def is_large(self) -> bool:
        """Whether a frame counts as several."""
        return self.cost != len(self.texts)


def frame(text: str) -> bytes:
    """Return an unmasked WebSocket text frame. Source: RFC 6455, 5.2."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def _count(text: str) -> int:
    return min(-(-len(text.encode()) // COUNTS_ONCE_BYTES), WINDOW)
