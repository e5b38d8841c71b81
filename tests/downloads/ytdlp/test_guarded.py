"""What a source of yt-dlp's kind reaches: nothing on this machine, directly or by a redirect."""

from __future__ import annotations

import pytest

from aniworld_site.downloads.providers.proxying import Proxy
from aniworld_site.downloads.ytdlp.running import Child, ChildError, Request
from tests.downloads.sources import PUBLIC_HOST, BadSource, make_public, redirect
from tests.downloads.ytdlp.pages import VIDEO, playlist


@pytest.fixture
def canary():
    with BadSource().running() as running:
        running.put("/1.mp4", VIDEO, type="video/mp4")
        yield running


@pytest.fixture
def public(source, monkeypatch):
    """The address of the test's server, by a name that is public."""
    make_public(monkeypatch)
    return f"http://{PUBLIC_HOST}:{source.port}"


def fetch(url: str, folder: object, *hosts: str) -> None:
    with Proxy(private_hosts=hosts) as proxy:
        request = Request(do="fetch", url=url, proxy=proxy.url, target=f"{folder}/file")
        with Child(request) as child:
            list(child.hear(timeout_s=30))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_address_is_refused(canary, tmp_path, host, scheme):
    with pytest.raises(ChildError, match="on this machine") as caught:
        fetch(f"{scheme}://{host}:{canary.port}/1.mp4", tmp_path)

    assert caught.value.trouble == "permanent"
    assert canary.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_address_is_refused_behind_a_redirect(
    source, public, canary, tmp_path, scheme
):
    there = f"{scheme}://127.0.0.1:{canary.port}/1.mp4"
    source.behave("/1.mp4", redirect(there))

    with pytest.raises(ChildError, match="on this machine"):
        fetch(f"{public}/1.mp4", tmp_path)

    assert source.requests
    assert canary.requests == []


def test_private_address_is_refused_on_a_page_and_in_a_list_of_segments(
    source, public, canary, tmp_path
):
    there = f"{canary.url}/1.mp4"
    source.put("/p", playlist(there), type="text/html")
    source.put(
        "/v.m3u8",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{there}\n#EXT-X-ENDLIST\n",
        type="application/vnd.apple.mpegurl",
    )

    for path in ("/p", "/v.m3u8"):
        with pytest.raises(ChildError):
            fetch(public + path, tmp_path)

    assert canary.requests == []


def test_allowing_one_host_allows_no_other(source, tmp_path):
    there = f"http://localhost:{source.port}/2.mp4"
    url = source.behave("/1.mp4", redirect(there))

    with pytest.raises(ChildError, match="on this machine"):
        fetch(url, tmp_path, "127.0.0.1")

    assert {path for path, _headers in source.requests} == {"/1.mp4"}


def test_public_address_is_fetched(source, public, tmp_path):
    source.put("/1.mp4", VIDEO, type="video/mp4")

    fetch(f"{public}/1.mp4", tmp_path)

    assert (tmp_path / "file.mp4").read_bytes() == VIDEO
