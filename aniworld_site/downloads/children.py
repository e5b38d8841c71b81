"""A child process that fetches: what it is told, what it says, and its end."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

STOP_S = 1.2
"""It ends by itself in that time, or is killed."""
ROOT = Path(__file__).resolve().parents[2]
# What else is in the environment is none of its business: the site's key, for one.
PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Child:
    """One process; lines of JSON go in and come out."""

    silent_s = 60.0
    """One that says nothing for so long hangs."""
    longest_line = 64 * 1024

    def __init__(
        self,
        module: str,
        job: Mapping[str, Any],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        passed = {name: os.environ[name] for name in PASSED if name in os.environ}
        self.process = subprocess.Popen(  # noqa: S603  # Our own program.
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**passed, **(environment or {})},
            # It may start others, which end with it.
            start_new_session=True,
        )
        self.pid = self.process.pid
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._errors = b""
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()
        self.tell(job)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a line; one that has ended hears nothing."""
        with suppress(OSError, ValueError):
            assert self.process.stdin is not None  # noqa: S101  # Told to the type checker.
            self.process.stdin.write(f"{json.dumps(message)}\n".encode())
            self.process.stdin.flush()

    def listen(self, *, every_s: float) -> Iterator[dict[str, Any] | None]:
        """Yield what it says, and None whenever it said nothing for so long; ends with the process."""
        heard_at = time.monotonic()
        while True:
            try:
                message = self._lines.get(timeout=every_s)
            except queue.Empty:
                if time.monotonic() - heard_at > self.silent_s:
                    logger.warning("Child %s says nothing and is killed.", self.pid)
                    return
                yield None
                continue
            if message is None:
                return
            heard_at = time.monotonic()
            yield message

    def stop(self) -> int:
        """Have it end within 1.5 s and return its exit code, negative for a signal."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        # Whatever it started, too.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        for thread in self._threads:
            thread.join(STOP_S)
        return code

    @property
    def complaint(self) -> str:
        """The last of what it wrote to its standard error."""
        return self._errors.decode(errors="replace").strip()[-2000:]

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101  # Told to the type checker.
        with self.process.stdout as pipe:
            while line := pipe.readline(self.longest_line):
                if message := self._parse(line):
                    self._lines.put(message)
        self._lines.put(None)

    def _parse(self, line: bytes) -> dict[str, Any] | None:
        if len(line) == self.longest_line:
            most = f"The process says more than {self.longest_line >> 10} KiB at once."
            return {"error": most, "trouble": "permanent"}
        try:
            message = json.loads(line)
        except ValueError:
            return None
        return message if isinstance(message, dict) else None

    def _read_errors(self) -> None:
        assert self.process.stderr is not None  # noqa: S101  # Told to the type checker.
        with self.process.stderr as pipe:
            while part := pipe.readline(4096):
                self._errors = (self._errors + part)[-4096:]
