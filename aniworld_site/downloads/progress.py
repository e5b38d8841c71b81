"""How fast a download is, and how long it takes yet. Pure: times are given."""

from __future__ import annotations

import math

SMOOTHING_S = 5.0
SURE_AFTER_S = 2.0
LONGEST_S = 30 * 24 * 3600


class Speedometer:
    """A rate smoothed over about five seconds; what stalls falls towards nothing."""

    def __init__(self, *, now: float, bytes_done: int) -> None:
        self._began = self._at = now
        self._bytes = bytes_done
        self._weighted = 0.0

    def note(self, *, now: float, bytes_done: int) -> None:
        """Take in how many bytes there are now; fewer than before means that it began anew."""
        passed = now - self._at
        if passed <= 0:
            return
        came = max(0, bytes_done - self._bytes)
        kept = math.exp(-passed / SMOOTHING_S)
        self._weighted = self._weighted * kept + (came / passed) * (1 - kept)
        self._at, self._bytes = now, bytes_done

    @property
    def bytes_per_s(self) -> float:
        # Without the division it would begin at nothing and take seconds to arrive.
        seen = 1 - math.exp(-(self._at - self._began) / SMOOTHING_S)
        return self._weighted / seen if seen > 0 else 0.0

    def get_eta_s(self, size_bytes: int | None) -> int | None:
        """Return the seconds left; None while nobody can know: no size, no speed, or not looked at for long enough."""
        rate = self.bytes_per_s
        if size_bytes is None or rate < 1 or self._at - self._began < SURE_AFTER_S:
            return None
        left = max(0, size_bytes - self._bytes) / rate
        return math.ceil(left) if left < LONGEST_S else None
