"""Videos that a bad source has, and how it sends them."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.downloads.sources import BadSource, Request

MATROSKA = b"\x1a\x45\xdf\xa3"
PIECE = 16 * 1024


def make_video(size: int = 100_000, *, seed: int = 1) -> bytes:
    """Return bytes that begin as a video does, always the same for one seed."""
    rest = random.Random(seed).randbytes(size - len(MATROSKA))  # noqa: S311  # Only bytes.
    return MATROSKA + rest


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def crc32(content: bytes) -> str:
    return f"{zlib.crc32(content):08X}"


@dataclass
class Video:
    """A file at a path, and how badly it is sent. What is changed takes effect with the next request."""

    content: bytes
    etag: str = '"1"'
    type: str = "video/x-matroska"
    has_ranges: bool = True
    has_length: bool = True
    bytes_per_s: int = 0
    """0 is as fast as it goes."""
    cut_after: int = 0
    """Bytes of an answer after which the connection is cut, 0 for never; once."""
    piece: int = 0
    """The most bytes that are sent of a part, however many are asked for; 0 for all."""
    knows_total: bool = True
    """Whether a part says of how many bytes it is one."""
    range_shift: int = 0
    """How far a part begins from where it was asked for."""
    refuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses and headers of the next answers."""
    hold: Callable[[], None] | None = None
    """Called before each piece."""
    requests: list[str] = field(default_factory=list)
    """The ranges that were asked for, "" for the whole."""

    def __call__(self, request: Request) -> None:
        asked = request.headers.get("Range", "")
        self.requests.append(asked)
        if self.refuses:
            status, headers = self.refuses.pop(0)
            request.answer(status, b"no", **headers)
            return
        first = self._find_first(request, asked)
        if first is None:
            request.send_response(200)
        elif first >= len(self.content):
            request.answer(416, Content_Range=f"bytes */{len(self.content)}")
            return
        else:
            first += self.range_shift
            last = min(len(self.content), first + (self.piece or len(self.content))) - 1
            total = len(self.content) if self.knows_total else "*"
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {first}-{last}/{total}")
            self._send(request, self.content[first : last + 1])
            return
        self._send(request, self.content)

    def _find_first(self, request: Request, asked: str) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        if not found or not self.has_ranges:
            return None
        if request.headers.get("If-Range", self.etag) != self.etag:
            return None
        return int(found[1])

    def _send(self, request: Request, content: bytes) -> None:
        if self.etag:
            request.send_header("ETag", self.etag)
        request.send_header("Content-Type", self.type)
        if self.has_length:
            request.send_header("Content-Length", str(len(content)))
        else:
            request.send_header("Connection", "close")
            request.close_connection = True
        request.end_headers()
        cut, self.cut_after = self.cut_after, 0
        began = time.monotonic()
        try:
            for at in range(0, len(content), PIECE):
                if self.hold is not None:
                    self.hold()
                if cut and at >= cut:
                    request.connection.shutdown(socket.SHUT_RDWR)
                    request.close_connection = True
                    return
                request.wfile.write(content[at : at + PIECE])
                if self.bytes_per_s:
                    due = began + (at + PIECE) / self.bytes_per_s
                    request.source.stop.wait(max(0.0, due - time.monotonic()))
        except OSError:
            request.close_connection = True


def put_video(source: BadSource, path: str, content: bytes, **fields: object) -> Video:
    """Put a video at a path of a source and return it."""
    video = Video(content, **fields)  # type: ignore[arg-type]  # As Video has them.
    source.behave(path, video)
    return video
