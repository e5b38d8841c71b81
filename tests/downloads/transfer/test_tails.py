"""The last bytes of a file, from a server that sends them with its header and keeps the connection open."""

from __future__ import annotations

from pathlib import Path

import pytest

from aniworld_site.downloads.transfer import connections
from aniworld_site.downloads.transfer.connections import Target
from aniworld_site.downloads.transfer.fetching import Job, fetch
from aniworld_site.downloads.transfer.pacing import Pacer
from aniworld_site.downloads.transfer.parts import Origin, Part
from tests.downloads.media import make_video, sha256
from tests.downloads.sources import LOCAL, BadSource, Request

VIDEO = make_video(68_735)


def answer_at_once(request: Request) -> None:
    """Send header and bytes in one piece."""
    asked = request.headers.get("Range", "")
    at = int(asked.removeprefix("bytes=").removesuffix("-") or 0)
    lines = [
        "HTTP/1.1 206 Partial Content" if asked else "HTTP/1.1 200 OK",
        "Content-Type: video/x-matroska",
        'ETag: "1"',
        f"Content-Length: {len(VIDEO) - at}",
        *(
            [f"Content-Range: bytes {at}-{len(VIDEO) - 1}/{len(VIDEO)}"]
            if asked
            else ()
        ),
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    request.wfile.write(head + VIDEO[at:])


@pytest.mark.parametrize("left", [1, 3_199, 7_900, 20_000])
def test_a_short_rest_that_comes_with_the_header_is_all_that_is_waited_for(
    source: BadSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
):
    monkeypatch.setattr(connections, "READ_TIMEOUT_S", 1.0)
    url = source.behave("/1.mkv", answer_at_once)
    part = Part(tmp_path / "1.part")
    part.begin(Origin(url=url, etag='"1"', total=len(VIDEO)), at=0)
    part.write(memoryview(VIDEO[: len(VIDEO) - left]))
    part.close()
    job = Job(
        target=Target(url=url, private_hosts=LOCAL),
        path=part.path,
        checksum=sha256(VIDEO),
        extensions=frozenset({".mkv"}),
    )

    fetched = fetch(job, Pacer(), lambda _progress: None)

    assert fetched.size_bytes == len(VIDEO)
    assert part.path.read_bytes() == VIDEO
    assert [headers["Range"] for _path, headers in source.requests] == [
        f"bytes={len(VIDEO) - left}-"
    ]
