"""What a file is, by its first bytes and its name: a video, or something that is refused."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.cleaning import clean_text

HEAD_BYTES = 512
CHUNK = 1024 * 1024
BY_TYPE = {
    "video/mp4": ".mp4",
    "video/x-m4v": ".m4v",
    "video/x-matroska": ".mkv",
    "video/matroska": ".mkv",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-msvideo": ".avi",
    "video/mpeg": ".mpg",
    "video/mp2t": ".ts",
    "video/ogg": ".ogv",
    "video/x-flv": ".flv",
    "video/x-ms-wmv": ".wmv",
}
REFUSED = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF document"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"ID3", "a sound file"),
    (b"{", "text"),
    (b"[", "text"),
    (b"<", "a web page"),
    (b"#!", "a program"),
    (b"#EXTM3U", "a playlist"),
    (b"\xff\xfe", "text"),
    (b"\xfe\xff", "text"),
)
# What no text has but files of all kinds have in their first bytes; tabs, line breaks and escapes are no such.
CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")
CRC_IN_NAME = re.compile(r"[\[(]([0-9A-Fa-f]{8})[\])]")


class Digest(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class Crc32:
    """The checksum that anime releases carry in their names."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def check_type(host: str, mime: str) -> None:
    """Refuse what says itself that it is no video.

    Raises:
        ProviderError: It is text, a web page, or sound.
    """
    kind = mime.partition(";")[0].strip().lower()
    if kind.startswith(("text/", "image/", "audio/")) or kind in (
        "application/json",
        "application/xml",
        "application/xhtml+xml",
        "application/zip",
    ):
        raise ProviderError(
            f"Expected a video from {host}, got {clean_text(kind, longest=100)}.",
            trouble=Trouble.PERMANENT,
        )


def check_encoding(host: str, encoding: str) -> None:
    """Refuse what is packed on its way though nothing packed was asked for: its bytes are none of a video.

    Raises:
        ProviderError: `encoding`, the header of that name, says anything but identity.
    """
    if encoding.lower() not in ("", "identity"):
        raise ProviderError(
            f"Expected a video from {host}, got something packed ({clean_text(encoding, longest=40)}).",
            trouble=Trouble.PERMANENT,
        )


def check_head(host: str, head: bytes) -> None:
    """Refuse what is no video by its first bytes, whatever it says that it is.

    Raises:
        ProviderError: It is an archive, a program, a web page or the like; nothing is ever unpacked.
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for sign, what in REFUSED:
        if start.startswith(sign):
            raise ProviderError(
                f"Expected a video from {host}, got {what}.", trouble=Trouble.PERMANENT
            )
    if _is_text(head):
        raise ProviderError(
            f"Expected a video from {host}, got text.", trouble=Trouble.PERMANENT
        )


def find_extension(
    url: str, *, mime: str, disposition: str, head: bytes, known: frozenset[str]
) -> str:
    """Return how the file's name is to end: as its address or the server says, else by its type or its first bytes.

    Raises:
        ProviderError: It is none of a video that is known.
    """
    named = re.search(r'filename\*?="?(?:UTF-8\'\')?([^";]+)', disposition)
    for name in (named[1] if named else "", get_name(url)):
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in known:
            return suffix
    kind = mime.partition(";")[0].strip().lower()
    found = BY_TYPE.get(kind, "") or _sniff(head)
    if found in known:
        return found
    raise ProviderError(
        f"Expected a video, got {get_name(url) or url[:100]}, whose name and content say nothing of one.",
        trouble=Trouble.PERMANENT,
    )


def get_name(url: str) -> str:
    """Return the last part of an address' path, unescaped."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def find_checksum(name: str) -> str:
    """Return the checksum that a name carries, like `crc32:1a2b3c4d`; "" for none."""
    found = CRC_IN_NAME.findall(name)
    # Digits alone are a date more often than a checksum.
    return f"crc32:{found[-1].lower()}" if found and not found[-1].isdigit() else ""


def compute(path: Path, algorithm: str, tell: Callable[[], None]) -> str:
    """Return the checksum of a file in hexadecimal digits. Reads it once, and tells after each MiB."""
    digest: Digest = (
        Crc32()
        if algorithm == "crc32"
        else hashlib.new(algorithm, usedforsecurity=False)
    )
    buffer = memoryview(bytearray(CHUNK))
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while read := os.readv(fd, [buffer]):
            digest.update(buffer[:read])
            tell()
    finally:
        os.close(fd)
    return digest.hexdigest()


def _is_text(head: bytes) -> bool:
    """Tell whether bytes are text in ASCII, UTF-8 or a code page of one byte."""
    if not CONTROL.intersection(head):
        return True
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return 0 not in head and not _sniff(head)


def _sniff(head: bytes) -> str:
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ".webm" if b"webm" in head[:64] else ".mkv"
    if head[4:8] == b"ftyp":
        return ".mov" if head[8:10] == b"qt" else ".mp4"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return ".avi"
    if head[:1] == b"G" and head[188:189] == b"G":
        return ".ts"
    return ""
