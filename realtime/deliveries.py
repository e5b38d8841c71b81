"""Frames as they go over the wire, encoded once for however many connections."""

from __future__ import annotations

import struct
from collections.abc import Sequence

WINDOW = 64
"""Frames that a client may leave unacknowledged; a large one counts as several, so that these are 256 KiB at most."""
COUNTS_ONCE_BYTES = 4 * 1024


class Delivery:
    """Frames that are written together, encoded once for however many connections."""

    __slots__ = ("cost", "is_large", "texts", "wire")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.wire = frame(texts[0]) if len(texts) == 1 else b"".join(map(frame, texts))
        """As unmasked WebSocket text frames."""
        self.cost = len(texts)
        """What they take of a window: a large frame counts as several, at most as a whole window."""
        if len(self.wire) > COUNTS_ONCE_BYTES:
            self.cost = sum(map(_count, texts))
        self.is_large = self.cost != len(texts)
        """Whether a frame counts as several."""


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
