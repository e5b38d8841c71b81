"""What yt-dlp may do: one set of options that nothing a source or person says adds to."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_ENTRIES = 5_000
"""Of a playlist."""
FORMAT, FORMAT_WITHOUT_FFMPEG = "bv*+ba/b", "b"
EXTENSIONS = frozenset(
    [
        "3gp",
        "aac",
        "asf",
        "avi",
        "f4v",
        "flac",
        "flv",
        "m2ts",
        "m4a",
        "m4v",
        "mka",
        "mkv",
        "mov",
        "mp3",
        "mp4",
        "mpeg",
        "mpg",
        "oga",
        "ogg",
        "ogv",
        "opus",
        "ts",
        "wav",
        "webm",
        "wma",
        "wmv",
    ]
)
"""Of files that may come of a fetch."""
PROTOCOLS = frozenset(
    [
        "http",
        "https",
        "m3u8",
        "m3u8_native",
        "http_dash_segments",
        "http_dash_segments_generator",
        "ism",
        "f4m",
    ]
)
"""All of which yt-dlp does itself, through the proxy."""


def make_options(
    request: Mapping[str, Any],
    *,
    logger: object,
    hook: object,
    has_ffmpeg: bool,
    item: int = 1,
) -> dict[str, Any]:
    """Return yt-dlp's options for a request, as `child` describes it; `item` is which of several videos at the address."""
    options: dict[str, Any] = {
        # Silence: standard output is the protocol.
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": logger,
        "color": "no_color",
        # Nothing of the machine's or the person's own.
        "ignoreconfig": True,
        "cachedir": False,
        "usenetrc": False,
        "netrc_cmd": None,
        "cookiesfrombrowser": None,
        "cookiefile": None,
        "enable_file_urls": False,
        "allowed_extractors": ["default"],
        "remote_components": [],
        "default_search": "error",
        # Nothing is started but ffmpeg, to join what was fetched.
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "postprocessors": [],
        "fixup": "detect_or_warn",
        # Nothing is written but the file.
        "writelink": False,
        "writeurllink": False,
        "writewebloclink": False,
        "writedesktoplink": False,
        "writesubtitles": False,
        "writeautomaticsub": False,
        "writethumbnail": False,
        "writeinfojson": False,
        "writedescription": False,
        "download_archive": None,
        "updatetime": False,
        # The network.
        "proxy": request["proxy"],
        "geo_verification_proxy": None,
        "nocheckcertificate": False,
        "socket_timeout": 20,
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 1,
        "file_access_retries": 1,
        "ratelimit": request["rate_limit"] or None,
        "concurrent_fragment_downloads": 1,
        "skip_unavailable_fragments": False,
        "allow_unplayable_formats": False,
        "ignoreerrors": False,
        "format": request["format"]
        or (FORMAT if has_ffmpeg else FORMAT_WITHOUT_FFMPEG),
        "merge_output_format": "mkv",
    }
    if request["cookies"]:
        # Its content: yt-dlp writes a file that it is given.
        # What is no text is no file of cookies either, and said to be none.
        content = Path(request["cookies"]).read_text("utf-8", errors="replace")
        options["cookiefile"] = io.StringIO(content)
    if request["do"] == "list":
        options |= {
            "extract_flat": "in_playlist",
            "playlistend": MAX_ENTRIES,
            "skip_download": True,
        }
    else:
        options |= {
            "noplaylist": True,
            "playlist_items": str(item),
            "continuedl": True,
            "nopart": False,
            "overwrites": None,
            "outtmpl": {"default": request["target"].replace("%", "%%") + ".%(ext)s"},
            "progress_hooks": [hook],
        }
    return options
