"""Fetches one file: `python -m aniworld_site.downloads.transfer`.

The first line of standard input is what to do; later ones may give another limit of speed, and its end means that nobody waits any
more. Each line of standard output is a JSON object: {"bytes", "size", "verifying"} on the way, then {"done", "extension"} or
{"error", "trouble", "bytes_done"}.
SIGTERM stops it within a second; what came is kept for the next time.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from aniworld_site.downloads.providers.base import ProviderError
from aniworld_site.downloads.transfer.connections import Target
from aniworld_site.downloads.transfer.fetching import (
    DiskFullError,
    Fetched,
    Job,
    Progress,
    fetch,
)
from aniworld_site.downloads.transfer.pacing import Pacer
from aniworld_site.downloads.transfer.parts import PartBusyError

TELL_EVERY_S = 0.2
PR_SET_PDEATHSIG = 1


class StoppedError(BaseException):
    """SIGTERM came."""


class Teller:
    """Writes progress, at most five times a second."""

    def __init__(self) -> None:
        self._told_at = 0.0
        self._was_verifying = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY_S and (
            progress.is_verifying == self._was_verifying
        ):
            return
        self._told_at, self._was_verifying = now, progress.is_verifying
        say(
            bytes=progress.bytes_done,
            size=progress.size_bytes,
            verifying=progress.is_verifying,
        )


def say(**values: Any) -> None:
    sys.stdout.write(f"{json.dumps(values)}\n")
    sys.stdout.flush()


def read_job(line: str) -> tuple[Job, Pacer]:
    given = json.loads(line)
    job = Job(
        target=Target(**given["target"]),
        path=Path(os.fsdecode(bytes.fromhex(given["path"]))),
        size_bytes=given["size_bytes"],
        checksum=given["checksum"],
        most_bytes=given["most_bytes"],
        extensions=frozenset(given["extensions"]),
    )
    return job, Pacer(given["limit"])


def listen(pacer: Pacer) -> None:
    """Take new limits until nobody is there any more."""
    for line in sys.stdin:
        pacer.limit = int(json.loads(line)["limit"])
    os.kill(os.getpid(), signal.SIGTERM)


def run(job: Job, pacer: Pacer) -> dict[str, Any]:
    try:
        fetched: Fetched = fetch(job, pacer, Teller())
    except StoppedError:
        return {"error": "Stopped.", "trouble": "stopped"}
    except ProviderError as error:
        return {
            "error": str(error),
            "trouble": error.trouble.value,
            "retry_after_s": error.retry_after_s,
        }
    except DiskFullError:
        return {"error": "The disk is full.", "trouble": "disk"}
    except PartBusyError as error:
        return {"error": str(error), "trouble": "busy"}
    except OSError as error:
        said = f"The file cannot be written: {error.strerror or error}."
        return {"error": said, "trouble": "root"}
    return {"done": fetched.size_bytes, "extension": fetched.extension}


def stop(_number: int, _frame: FrameType | None) -> None:
    # Once: what is done about it must not be interrupted.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StoppedError


def main() -> int:
    if sys.platform == "linux":
        # Killed with its worker: the next one that takes up the download must be alone with the file.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, stop)
    try:
        job, pacer = read_job(sys.stdin.readline())
        threading.Thread(target=listen, args=(pacer,), daemon=True).start()
        ended = run(job, pacer)
        if "error" in ended:
            # What came since it was told last counts, too.
            with suppress(OSError):
                ended["bytes_done"] = job.path.stat().st_size
    except StoppedError:
        ended = {"error": "Stopped.", "trouble": "stopped"}
    # Whoever hears it may stop this process at once.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(**ended)
    # Not by the interpreter's end, which waits for the thread that reads.
    sys.stdout.flush()
    os._exit(0 if "done" in ended else 1)


if __name__ == "__main__":
    main()
