"""How fast bytes may come, and whether they come at all."""

from __future__ import annotations

import time

BURST_S = 0.25
LEAST_BYTES_PER_S, PATIENCE_S = 1024, 60.0
LARGEST_CHUNK, LEAST_CHUNK = 256 * 1024, 4096


class Pacer:
    """A token bucket whose limit may change while it runs. `limit` is in bytes per second, 0 for none."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._allowed = 0.0
        self._at = time.monotonic()
        self._watched_at, self._watched = self._at, 0

    @property
    def chunk(self) -> int:
        """How many bytes to ask for next."""
        if not self.limit:
            return LARGEST_CHUNK
        return max(LEAST_CHUNK, min(LARGEST_CHUNK, self.limit // 8))

    def spend(self, count: int) -> None:
        """Account for bytes that came, and wait until more may."""
        limit = self.limit
        if not limit:
            return
        now = time.monotonic()
        self._allowed = min(limit * BURST_S, self._allowed + (now - self._at) * limit)
        self._at = now
        self._allowed -= count
        # In short waits, since the limit may change meanwhile.
        while self._allowed < 0 and self.limit == limit:
            time.sleep(min(0.2, -self._allowed / limit))
            now = time.monotonic()
            self._allowed += (now - self._at) * limit
            self._at = now

    def is_stuck(self, count: int) -> bool:
        """Tell whether less than 1 KiB a second came for a minute though nothing here held it back."""
        self._watched += count
        now = time.monotonic()
        if now - self._watched_at < PATIENCE_S:
            return False
        is_slow = self._watched < LEAST_BYTES_PER_S * (now - self._watched_at)
        self._watched_at, self._watched = now, 0
        return is_slow and not 0 < self.limit < 4 * LEAST_BYTES_PER_S
