"""The program that runs yt-dlp: `python -m aniworld_site.downloads.ytdlp.child`, one request on its input, lines of JSON on its output.

A request has `do` (`list` or `fetch`), `url`, `cookies` (a file or ""), `format` ("" for the best), `proxy`, `target` (path without
extension, for a fetch), `rate_limit` (bytes per second, or 0) and `library` (folder of a newer yt-dlp, or "").

`list` answers `{"listing": {"id", "title", "entries": [...]}}`. `fetch` says `{"bytes", "size"}` at most five times a second and at least
every other, then `{"done", "extension"}`. What goes wrong is `{"error", "trouble"}`, and the exit code is 1.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from aniworld_site.downloads.ytdlp.bounds import check_scheme, make_downloader
from aniworld_site.downloads.ytdlp.options import MAX_ENTRIES, make_options
from aniworld_site.downloads.ytdlp.troubles import Refused, describe

FIELDS = (
    "id",
    "title",
    "url",
    "duration",
    "upload_date",
    "season_number",
    "episode_number",
    "playlist_index",
)
ITEM = "#aniworld-item="
"""Ends the address of one of several videos on a page."""
MAX_INNER = 20
"""Playlists in a playlist: what a channel has."""
MAX_SIZE_BYTES = 1 << 50
SAID_EVERY_S, BEAT_S = 0.2, 1.0
ENDS_WITHIN_S = 0.7
OPEN_FILES = 256
PR_SET_PDEATHSIG = 1


class Speaker:
    """Writes lines of JSON, whole ones, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._said_at = 0.0

    def say(self, **message: Any) -> None:
        with self._lock:
            self._said_at = time.monotonic()
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self._said_at


class Progress:
    """How much of a fetch is there, over the files that it may be made of."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._files: dict[str, tuple[int, int | None]] = {}

    def hook(self, status: Mapping[str, Any]) -> None:
        size = status.get("total_bytes") or status.get("total_bytes_estimate")
        self._files[str(status.get("filename"))] = (
            _read_size(status.get("downloaded_bytes")) or 0,
            _read_size(size) or None,
        )
        if self._speaker.silent_s >= SAID_EVERY_S:
            self.say()

    def say(self) -> None:
        files = list(self._files.values())
        sizes = [size for _, size in files if size is not None]
        is_known = bool(files) and len(sizes) == len(files)
        self._speaker.say(
            bytes=_read_size(sum(there for there, _ in files)) or 0,
            size=_read_size(sum(sizes)) if is_known else None,
        )

    def beat(self, stopped: threading.Event) -> None:
        while not stopped.wait(SAID_EVERY_S):
            if self._speaker.silent_s >= BEAT_S:
                self.say()


def _read_size(value: Any) -> int | None:
    """Return how many bytes something has; None for what can be no size, as a server may say it."""
    try:
        size = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return size if 0 <= size <= MAX_SIZE_BYTES else None


class Silence:
    """What yt-dlp logs to."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def main() -> int:
    """Do what the request on standard input says."""
    _bound_process()
    speaker = Speaker(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    # Whatever else prints must not get between the lines.
    os.dup2(2, 1)
    try:
        request = json.loads(sys.stdin.readline())
        if request["library"]:
            sys.path.insert(0, request["library"])
        _run(request, speaker)
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - the edge: all of them are told
        sentence, trouble = describe(error)
        speaker.say(error=sentence, trouble=trouble)
        return 1
    return 0


def _run(request: Mapping[str, Any], speaker: Speaker) -> None:
    check_scheme(request["url"])
    progress = Progress(speaker)
    url, _, item = str(request["url"]).partition(ITEM)
    request = {**request, "url": url}
    options = make_options(
        request,
        item=int(item) if item.isdecimal() else 1,
        logger=Silence(),
        hook=progress.hook,
        has_ffmpeg=shutil.which("ffmpeg") is not None,
    )
    with make_downloader(options, request.get("target", "")) as ydl:
        if request["do"] == "list":
            speaker.say(listing=_list(ydl, request["url"]))
            return
        with _beating(progress):
            path = _fetch(ydl, request)
            # Here, since it may take long: whoever hears the beats keeps the download meanwhile.
            _sync(path)
        progress.say()
        speaker.say(done=path, extension=Path(path).suffix[1:])


@contextlib.contextmanager
def _beating(progress: Progress) -> Iterator[None]:
    stopped = threading.Event()
    thread = threading.Thread(target=progress.beat, args=(stopped,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _list(ydl: Any, url: str) -> dict[str, Any]:
    found = ydl.extract_info(url, download=False)
    if not found:
        raise Refused("There is nothing at this address.")
    own = found.get("webpage_url") if found.get("entries") else None
    entries = list(_flatten(ydl, found, MAX_INNER))[:MAX_ENTRIES]
    return {
        "id": found.get("id"),
        "title": found.get("title"),
        "entries": [
            _pick(each, own) | {"playlist_index": number}
            for number, each in enumerate(entries, 1)
        ],
    }


def _flatten(ydl: Any, found: dict[str, Any], inner: int) -> Iterator[dict[str, Any]]:
    """Yield the videos of what was found: one, a playlist's, or those of the playlists in it."""
    if found.get("_type", "video") not in ("playlist", "multi_video"):
        yield found
        return
    for entry in found.get("entries") or ():
        if not entry:
            continue
        if entry.get("_type") in ("playlist", "multi_video"):
            yield from _flatten(ydl, entry, 0)
        elif inner > 0 and _is_playlist(ydl, entry):
            inner -= 1
            there = ydl.extract_info(entry["url"], download=False)
            yield from _flatten(ydl, there or {"_type": "playlist"}, 0)
        else:
            yield entry


def _is_playlist(ydl: Any, entry: Mapping[str, Any]) -> bool:
    key = entry.get("ie_key")
    if entry.get("_type") not in ("url", "url_transparent") or not key:
        return False
    return ydl.get_info_extractor(key).is_single_video(entry["url"]) is False


def _pick(entry: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    is_link = entry.get("_type") in ("url", "url_transparent")
    picked = {name: entry[name] for name in FIELDS if entry.get(name) is not None}
    # A video's `url` is one of its files, which is elsewhere tomorrow.
    url = (None if is_link else entry.get("webpage_url")) or entry.get("url")
    if own and url == own:
        # One of several on one page, told apart by its place.
        url = f"{own.partition('#')[0]}{ITEM}{entry.get('playlist_index')}"
    picked["url"] = url
    if "upload_date" not in picked and (at := entry.get("timestamp")):
        with contextlib.suppress(ValueError, OverflowError, OSError, TypeError):
            picked["upload_date"] = f"{datetime.fromtimestamp(at, UTC):%Y%m%d}"
    return picked


def _fetch(ydl: Any, request: Mapping[str, Any]) -> str:
    found = ydl.extract_info(request["url"], download=True)
    while found and found.get("_type") in ("playlist", "multi_video"):
        found = next(filter(None, found.get("entries") or ()), None)
    made = [
        each.get("filepath") for each in (found or {}).get("requested_downloads", ())
    ]
    if not made or not made[0] or not Path(made[0]).is_file():
        raise Refused("There is no video at this address.")
    path = str(made[0])
    if (
        not path.startswith(f"{request['target']}.")
        or "/" in path[len(request["target"]) :]
    ):
        raise Refused("It was written elsewhere.")
    return path


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _bound_process() -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["YTDLP_NO_PLUGINS"] = "1"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Unwind, so that what is there can be continued; where something holds that up, end all the same."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(143))
    signal.setitimer(signal.ITIMER_REAL, ENDS_WITHIN_S)
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
