"""Free space of folders, without ever waiting for a disk that does not answer."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

FRESH_S, PATIENCE_S = 20.0, 0.3


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What the file system below a folder has room for."""

    total_bytes: int
    free_bytes: int
    device: int = 0
    """Of the file system, as the system counts them."""

    @property
    def used_percent(self) -> int:
        return (
            round(100 * (self.total_bytes - self.free_bytes) / self.total_bytes)
            if self.total_bytes
            else 0
        )

    @property
    def is_low(self) -> bool:
        """Less than 5 % is free."""
        return self.free_bytes * 20 < self.total_bytes


class DiskMeter:
    """Measures in threads of its own, one per folder at most, and remembers for a while.

    A hung network share blocks the asking thread inside the kernel, where no time-out reaches it. So nobody asks it twice at once,
    and the threads are daemons, which do not hold up the end of the process.
    """

    def __init__(self, *, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._measured: dict[str, tuple[float, Disk | None]] = {}
        self._asking: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def measure(self, paths: Iterable[str]) -> dict[str, Disk | None]:
        """Return what is known of each path after at most `PATIENCE_S` in all; `None` where nothing is."""
        wanted = list(paths)
        deadline = time.monotonic() + PATIENCE_S
        for thread in [self._ask(path) for path in wanted]:
            if thread:
                thread.join(max(0.0, deadline - time.monotonic()))
        return {path: self._measured.get(path, (0.0, None))[1] for path in wanted}

    def is_waiting_for(self, path: str) -> bool:
        """Tell whether a folder has not answered: what was measured before says nothing of a disk that hangs."""
        with self._lock:
            return path in self._asking

    def _ask(self, path: str) -> threading.Thread | None:
        with self._lock:
            if (
                path in self._measured
                and time.monotonic() - self._measured[path][0] < self._fresh_s
            ):
                return None
            thread = self._asking.get(path)
            if thread is None:
                thread = self._asking[path] = threading.Thread(
                    target=self._run, args=(path,), name="disk-meter", daemon=True
                )
                thread.start()
            return thread

    def _run(self, path: str) -> None:
        try:
            usage = shutil.disk_usage(path)
            disk = Disk(
                total_bytes=usage.total,
                free_bytes=usage.free,
                device=os.stat(path).st_dev,  # noqa: PTH116  # A path as it is stored.
            )
        except (OSError, ValueError):
            disk = None
        with self._lock:
            self._measured[path] = (time.monotonic(), disk)
            self._asking.pop(path, None)


METER = DiskMeter()
