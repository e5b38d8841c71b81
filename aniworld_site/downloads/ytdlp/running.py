"""Starting the child, hearing it, and ending it within two seconds whatever it does."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Literal

from aniworld_site.downloads.ytdlp.troubles import PASSING

ROOT = Path(__file__).resolve().parents[3]
MAX_OUTPUT = 16 * 1024 * 1024
SILENT_S = 30.0
"""A fetch that says nothing for so long hangs: it beats every second."""
TERMINATE_S, KILL_S = 1.2, 0.6
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Of the environment; no proxy's, no key of ours."""


class ChildError(Exception):
    """What the child was asked for did not come about; the text is a sentence."""

    def __init__(self, message: str, trouble: str = PASSING) -> None:
        super().__init__(message)
        self.trouble = trouble
        """`permanent`, `login`, `throttled` or `passing`."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the child is asked for."""

    do: Literal["list", "fetch"]
    url: str
    proxy: str
    """With its credential."""
    target: str = ""
    """Absolute path of the file without extension; for a fetch."""
    cookies: str = ""
    format: str = ""
    rate_limit: int = 0
    """Bytes per second."""
    library: str = ""
    """Folder of a newer yt-dlp."""


class Child:
    """One run of yt-dlp. Ended when the block is left; leaving it in the middle keeps the part that is there."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __enter__(self) -> Child:
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aniworld_site.downloads.ytdlp.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment | {"YTDLP_NO_PLUGINS": "1", "PYTHONUTF8": "1"},
            # It may start ffmpeg, which ends with it.
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def hear(self, *, timeout_s: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield what the child says, each within a moment; ends with its `listing` or `done`.

        Raises:
            ChildError: It says that it failed, ends without a word, says nothing for 30 s of a fetch, or takes too long.
        """
        self._ask()
        for message in self._read(timeout_s):
            if "error" in message:
                raise ChildError(
                    str(message["error"]), str(message.get("trouble", PASSING))
                )
            yield message
            if "listing" in message or "done" in message:
                return
        raise ChildError("yt-dlp ended without a word.")

    def stop(self) -> None:
        """End the child and what it started: politely, and after 1.2 s not."""
        process = self.process
        if process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TERMINATE_S)
        self._signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _ask(self) -> None:
        if self.process.stdin is None:
            raise ChildError("yt-dlp was asked already.")
        try:
            self.process.stdin.write(f"{json.dumps(asdict(self._request))}\n".encode())
            self.process.stdin.close()
        except OSError as error:
            raise ChildError("yt-dlp ended without a word.") from error
        self.process.stdin = None

    def _read(self, timeout_s: float | None) -> Iterator[dict[str, Any]]:
        if self.process.stdout is None:
            return
        fd, rest, length = self.process.stdout.fileno(), b"", 0
        until = None if timeout_s is None else monotonic() + timeout_s
        silent_s = SILENT_S if self._request.do == "fetch" else 3600.0
        while True:
            left = silent_s if until is None else min(silent_s, until - monotonic())
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise ChildError(
                    f"yt-dlp was not through after {timeout_s or left:g} s."
                )
            chunk = os.read(fd, 65536)
            if not chunk:
                return
            # Of a fetch one line is bounded: it beats for as long as it takes.
            length = length + len(chunk) if self._request.do == "list" else len(rest)
            if length > MAX_OUTPUT:
                raise ChildError("yt-dlp says more than 16 MiB.", "permanent")
            *lines, rest = (rest + chunk).split(b"\n")
            yield from map(_parse, lines)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ChildError("yt-dlp's process speaks no JSON.") from error
    if not isinstance(message, dict):
        raise ChildError("yt-dlp's process speaks another JSON.")
    return message
