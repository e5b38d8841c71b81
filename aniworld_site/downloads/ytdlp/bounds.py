"""yt-dlp's downloader, bounded: http and https only, nothing past the proxy, and one file where it was told."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from aniworld_site.downloads.ytdlp.options import EXTENSIONS, PROTOCOLS
from aniworld_site.downloads.ytdlp.troubles import PASSING, Refused


class Bounds:
    """Stands before `YoutubeDL` in the order of its methods."""

    target: str
    """Path of the file, without extension."""
    params: dict[str, Any]

    def urlopen(self, req: Any) -> Any:
        # urllib's own request has its address under another name.
        url = req if isinstance(req, str) else getattr(req, "url", None)
        check_scheme(str(url or req.full_url))
        return super().urlopen(req)  # type: ignore[misc]  # YoutubeDL's.

    def prepare_filename(self, info_dict: Any, *_: Any, **__: Any) -> str:
        # Not from the template: that expands `~` and `$`, and nothing that a source says is in a path.
        # It is asked for playlists, too, which have none and of which nothing is written.
        extension = _check_extension(info_dict) if info_dict.get("ext") else "none"
        return f"{self.target}.{extension}"

    def process_info(self, info_dict: Any) -> None:
        if info_dict.get("is_live"):
            raise Refused("It is live, and can be fetched when it is over.", PASSING)
        _check_extension(info_dict)
        for number, each in enumerate(info_dict.get("requested_formats") or ()):
            # Part of the names of what is joined.
            each["format_id"] = str(number)
            _check_extension(each)
        super().process_info(info_dict)  # type: ignore[misc]  # YoutubeDL's.

    def dl(self, name: str, info: Any, *arguments: Any, **options: Any) -> Any:
        if not name.startswith(f"{self.target}."):
            raise Refused("It would be written elsewhere.")
        module = importlib.import_module("yt_dlp.downloader")
        kind = module.get_suitable_downloader(info, self.params)
        is_native = kind is not None and not issubclass(kind, _get_external())
        protocol = str(info.get("protocol"))
        if not is_native or not PROTOCOLS.issuperset(protocol.split("+")):
            raise Refused(f"It comes by {protocol[:40]}, which is not fetched.")
        return super().dl(name, info, *arguments, **options)  # type: ignore[misc]  # YoutubeDL's.


def make_downloader(options: dict[str, Any], target: str) -> Any:
    """Return yt-dlp as a library, loaded from the first place that Python knows now."""
    yt_dlp = importlib.import_module("yt_dlp")
    # The native downloaders hand on to it what they cannot do, past the proxy.
    _get_external().real_download = _refuse_program
    kind = type("Downloader", (Bounds, yt_dlp.YoutubeDL), {"target": target})
    return kind(options)


def check_scheme(url: str) -> None:
    """Raise `Refused` for all that is not http or https."""
    if url.partition(":")[0].lower() not in ("http", "https"):
        raise Refused(
            f"Expected an address that begins with http:// or https://, got {url[:100]!r}."
        )


def _check_extension(info: Mapping[str, Any]) -> str:
    extension = str(info.get("ext"))
    if extension not in EXTENSIONS:
        raise Refused(f"It is neither video nor audio but {extension[:40]!r}.")
    return extension


def _get_external() -> Any:
    return importlib.import_module("yt_dlp.downloader.external").ExternalFD


def _refuse_program(*_: object) -> None:
    raise Refused("Only another program could fetch this stream.")
