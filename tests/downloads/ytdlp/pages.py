"""Pages of the tests' own that yt-dlp can read without knowing the site."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from tests.downloads.sources import BadSource, Behaviour, Request

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(200_000)


def playlist(*videos: str, title: str = "Night shows") -> str:
    tags = "".join(f'<video src="{video}"></video>' for video in videos)
    return f"<html><head><title>{title}</title></head>{tags}</html>"


def feed(source: BadSource, titles: Sequence[str]) -> str:
    items = "".join(
        f"<item><title><![CDATA[{title}]]></title><link>{source.url}/{number}.mp4</link>"
        "<pubDate>Mon, 01 Jan 2024 12:00:00 GMT</pubDate></item>"
        for number, title in enumerate(titles, 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Night</title>{items}</channel></rss>'


def slowly(content: bytes, *, pause_s: float = 0.05) -> Behaviour:
    """Send a video from where it is asked for, 20 KB at a time."""

    def behave(request: Request) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header(
                "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
            )
        request.send_header("Content-Type", "video/mp4")
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        try:
            for at in range(start, len(content), 20_000):
                request.wfile.write(content[at : at + 20_000])
                time.sleep(pause_s)
        except OSError:
            request.close_connection = True

    return behave
