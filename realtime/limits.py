"""How much one user or address may ask of this process, over all its connections and across reconnects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import ceil
from time import monotonic


class TokenBuckets:
    """Token buckets by key; a bucket that is full again is forgotten."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tokens and the time when there were so many."""
        self._sweep_at = 0.0

    def take(self, key: str, *, per_s: float, burst: int) -> int:
        """Take one token and return 0, or take none and return the milliseconds until there is one."""
        now = self._clock()
        tokens, since = self._buckets.get(key, (float(burst), now))
        tokens = min(tokens + (now - since) * per_s, burst)
        wait_ms = 0 if tokens >= 1 else ceil((1 - tokens) / per_s * 1000)
        self._buckets[key] = (tokens if wait_ms else tokens - 1, now)
        if now >= self._sweep_at:
            self._sweep(now, full_after_s=burst / per_s)
        return wait_ms

    def _sweep(self, now: float, *, full_after_s: float) -> None:
        self._buckets = {
            key: bucket
            for key, bucket in self._buckets.items()
            if now - bucket[1] < full_after_s
        }
        self._sweep_at = now + full_after_s

    def __len__(self) -> int:
        return len(self._buckets)


class Seats:
    """Open connections by key."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, key: str, *, limit: int) -> bool:
        """Take a seat unless all are taken."""
        if self._taken[key] >= limit:
            return False
        self._taken[key] += 1
        return True

    def give_back(self, key: str) -> None:
        """Free a seat that was taken."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]

    def __len__(self) -> int:
        return self._taken.total()


frame_buckets = TokenBuckets()
seats = Seats()
