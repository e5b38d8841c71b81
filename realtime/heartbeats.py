"""Finds connections whose other end is gone, with timers instead of a task each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Heartbeat:
    """Pings every `interval_s`, and reports silence when nothing was heard `timeout_s` after a ping."""

    __slots__ = (
        "_heard_since_beat",
        "_interval_s",
        "_loop",
        "_on_beat",
        "_on_silence",
        "_timeout_s",
        "_timer",
    )

    def __init__(
        self,
        *,
        interval_s: float,
        timeout_s: float,
        on_beat: Callable[[], None],
        on_silence: Callable[[], None],
    ) -> None:
        self._interval_s, self._timeout_s = interval_s, timeout_s
        self._on_beat, self._on_silence = on_beat, on_silence
        self._loop = asyncio.get_running_loop()
        self._heard_since_beat = True
        self._timer = self._loop.call_later(interval_s, self._beat)

    def heard(self) -> None:
        """Note a sign of life; any frame is one."""
        self._heard_since_beat = True

    def stop(self) -> None:
        """Ping no more."""
        self._timer.cancel()

    def _beat(self) -> None:
        self._heard_since_beat = False
        self._timer = self._loop.call_later(self._timeout_s, self._look)
        self._on_beat()

    def _look(self) -> None:
        if self._heard_since_beat:
            self._timer = self._loop.call_later(
                self._interval_s - self._timeout_s, self._beat
            )
        else:
            self._on_silence()
