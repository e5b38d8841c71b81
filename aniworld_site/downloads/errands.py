"""What a child is sent for: a plain file, or what yt-dlp makes of a page."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

from aniworld_site.downloads.children import Child
from aniworld_site.downloads.credentials import decrypt
from aniworld_site.downloads.models import Download, Source, SourceEpisode
from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.cleaning import clean_text
from aniworld_site.downloads.providers.guarding import read_hosts
from aniworld_site.downloads.providers.proxying import Proxy
from aniworld_site.downloads.providers.registry import get_provider_types
from aniworld_site.downloads.providers.ytdlp import YtDlpProvider
from aniworld_site.downloads.transfer.contents import find_checksum, get_name
from aniworld_site.downloads.transfer.parts import Part, PartBusyError
from aniworld_site.downloads.ytdlp.running import Child as YtDlpChild
from aniworld_site.downloads.ytdlp.running import Request
from aniworld_site.downloads.ytdlp.troubles import DISK, DISK_FULL
from aniworld_site.downloads.ytdlp.versions import get_library
from aniworld_site.exceptions import DomainError
from aniworld_site.library.files import sync_folder
from aniworld_site.library.naming import VIDEO_EXTENSIONS

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MAX_SENTENCE = 500
PAGES_BYTES = 32 << 20
"""What may come beside a video and is not written: pages, and beginnings of files that are looked at."""
NO_ROOM = {"error": DISK_FULL, "trouble": DISK}


class Errand(Protocol):
    """One way to get a download's file."""

    takes_limits: bool
    """Whether a running child can be told another speed; else it is started anew."""

    def start(self, limit: int) -> Child:
        """Start a child, which goes on with what is there. `limit` is in bytes per second, 0 for none."""

    def settle(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return what the child's last words mean, with the file under the download's partial name."""

    def close(self) -> None:
        """End what was there for the child."""


def make_errand(download: Download, path: Path, most_bytes: int) -> Errand:
    """Return how a download's file is fetched to its partial name.

    Raises:
        ProviderError: It has no source or address any more, or another process fetches it.
        DomainError: Its partial file cannot be written.
    """
    source, offer = download.source, download.offer
    if source is None:
        raise ProviderError("Its source was removed.", trouble=Trouble.PERMANENT)
    if offer is None or not offer.url:
        raise ProviderError(
            "Its source does not list it any more.", trouble=Trouble.PERMANENT
        )
    if source.kind == YtDlpProvider.kind:
        return VideoErrand(source, offer, path, most_bytes)
    return FileErrand(download, source, offer, path, most_bytes)


class FileErrand:
    """A file at an address."""

    takes_limits = True

    def __init__(
        self,
        download: Download,
        source: Source,
        offer: SourceEpisode,
        path: Path,
        most_bytes: int,
    ) -> None:
        kind = get_provider_types().get(source.kind)
        are_exact = bool(getattr(kind, "are_sizes_exact", False))
        self._job = {
            "target": {
                "url": offer.url,
                "private_hosts": sorted(read_hosts(source.private_hosts)),
                "username": source.username,
                "password": decrypt(source.secret),
                "source_url": source.url,
            },
            "path": os.fsencode(path).hex(),
            "size_bytes": offer.size_bytes if are_exact else None,
            # As the source says now, which may have replaced the file since it was queued.
            "checksum": offer.checksum
            or download.checksum
            or find_checksum(get_name(offer.url)),
            "most_bytes": most_bytes,
            "extensions": sorted(VIDEO_EXTENSIONS),
        }

    def start(self, limit: int) -> Child:
        return Child("aniworld_site.downloads.transfer", {**self._job, "limit": limit})

    def settle(self, said: dict[str, Any]) -> dict[str, Any]:
        return _clean(said)

    def close(self) -> None:
        """Nothing was there."""


class VideoErrand:
    """A page that yt-dlp finds a video on. All that it asks for goes through a proxy that looks at each address.

    Holds the partial file's lock as long as it is open: what yt-dlp writes lies beside that file, and yt-dlp itself locks nothing.
    """

    takes_limits = False

    def __init__(
        self, source: Source, offer: SourceEpisode, path: Path, most_bytes: int
    ) -> None:
        self._path = path
        with ExitStack() as opened:
            opened.enter_context(closing(_hold(path)))
            self._proxy = opened.enter_context(
                Proxy(
                    private_hosts=read_hosts(source.private_hosts),
                    max_bytes=most_bytes + PAGES_BYTES,
                )
            )
            self._request = Request(
                do="fetch",
                url=offer.url,
                proxy=self._proxy.url,
                target=str(path.with_suffix(".video")),
                cookies=source.cookies,
                format=source.format,
                library=get_library(Path(settings.DATA_DIR)),
            )
            self._opened = opened.pop_all()

    def start(self, limit: int) -> Child:
        return YtDlpChild(replace(self._request, rate_limit=limit))

    def settle(self, said: dict[str, Any]) -> dict[str, Any]:
        if "done" not in said:
            # Whatever yt-dlp makes of it: it was cut here, where the room ends.
            return {**said, **NO_ROOM} if self._proxy.is_spent else _clean(said)
        try:
            _put_in_place(Path(str(said["done"])), self._path)
            size = self._path.stat().st_size
        except OSError as error:
            return _describe(error)
        extension = f".{said['extension']}".lower()
        if extension not in VIDEO_EXTENSIONS:
            return {
                "error": f"Expected a video, got a file that ends with {extension}.",
                "trouble": Trouble.PERMANENT.value,
            }
        return {"done": size, "extension": extension}

    def close(self) -> None:
        self._opened.close()


def _hold(path: Path) -> Part:
    try:
        return Part(path)
    except PartBusyError as error:
        raise ProviderError(str(error), trouble=Trouble.BUSY) from error
    except OSError as error:
        raise DomainError(str(_describe(error)["error"])) from error


def _put_in_place(made: Path, path: Path) -> None:
    """Give a file the one name that the import knows, whatever it is called in the end; after a power cut it is whole or not there."""
    # The child had the disk write it, so that this is soon done.
    fd = os.open(made, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    made.replace(path)
    sync_folder(str(path.parent))


def _clean(said: dict[str, Any]) -> dict[str, Any]:
    """Return last words whose sentence can be kept and shown: what a server says may be in it, or a page."""
    if "error" not in said:
        return said
    return {**said, "error": clean_text(said["error"], longest=MAX_SENTENCE)}


def _describe(error: OSError) -> dict[str, Any]:
    if error.errno in FULL:
        return NO_ROOM
    said = f"The file cannot be written: {error.strerror or error}."
    return {"error": said, "trouble": "root"}
