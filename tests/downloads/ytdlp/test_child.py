"""yt-dlp itself, in its process, at pages of a server on this machine."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aniworld_site.downloads.children import ROOT
from aniworld_site.downloads.providers.proxying import Proxy
from aniworld_site.downloads.ytdlp.child import Progress, Speaker
from aniworld_site.downloads.ytdlp.running import Child, ChildError, Request
from tests.downloads.sources import LOCAL, redirect
from tests.downloads.ytdlp.pages import VIDEO, feed, playlist, slowly

HOSTILE = [
    "..",
    "%(title)s",
    "/etc/passwd",
    "../../../etc/cron.d/x",
    "$HOME",
    "~",
    "-rf",
    "\u202egpj.exe",
    "CON",
    "x" * 400,
]


@pytest.fixture
def proxy():
    with Proxy(private_hosts=LOCAL) as running:
        yield running


def run(request: Request) -> list[dict[str, Any]]:
    with Child(request) as child:
        return list(child.hear(timeout_s=30))


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def list_at(proxy: Proxy, url: str) -> Any:
    return run(Request(do="list", url=url, proxy=proxy.url))[-1]["listing"]


def fetch(proxy: Proxy, url: str, target: str, **options) -> list[dict[str, Any]]:
    return run(Request(do="fetch", url=url, proxy=proxy.url, target=target, **options))


def test_playlist_is_listed_with_titles_days_and_addresses(source, proxy):
    url = source.put("/f", feed(source, ["Dusk", "Dawn"]), type="application/rss+xml")

    listing = list_at(proxy, url)

    assert listing["title"] == "Night"
    assert [each["title"] for each in listing["entries"]] == ["Dusk", "Dawn"]
    assert listing["entries"][1] == {
        "title": "Dawn",
        "url": f"{source.url}/2.mp4",
        "upload_date": "20240101",
        "playlist_index": 2,
    }


def test_each_of_several_videos_on_one_page_is_fetched(source, proxy, tmp_path):
    source.put("/1.mp4", VIDEO, type="video/mp4")
    source.put("/2.mp4", VIDEO + b"second", type="video/mp4")
    url = source.put("/p", playlist("/1.mp4", "/2.mp4"), type="text/html")
    entries = list_at(proxy, url)["entries"]

    said = fetch(proxy, entries[1]["url"], f"{tmp_path}/file")

    assert said[-1] == {"done": f"{tmp_path}/file.mp4", "extension": "mp4"}
    assert said[-2] == {"bytes": len(VIDEO) + 6, "size": len(VIDEO) + 6}
    assert (tmp_path / "file.mp4").read_bytes() == VIDEO + b"second"
    assert names_in(tmp_path) == ["file.mp4"]


def test_playlist_of_segments_is_fetched_without_another_program(
    source, proxy, tmp_path
):
    for number in range(3):
        source.put(f"/{number}.ts", b"G" + bytes([number]) * 187, type="video/mp2t")
    lines = "".join(f"#EXTINF:4,\n{number}.ts\n" for number in range(3))
    url = source.put(
        "/v.m3u8",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n{lines}#EXT-X-ENDLIST\n",
        type="application/vnd.apple.mpegurl",
    )

    said = fetch(proxy, url, f"{tmp_path}/file")

    assert Path(said[-1]["done"]).stat().st_size == 3 * 188


@pytest.mark.parametrize("title", HOSTILE)
def test_title_is_in_no_path(source, proxy, tmp_path, title):
    folder = tmp_path / "100% $HOME ~"
    folder.mkdir()
    source.put("/1.mp4", VIDEO, type="video/mp4")
    url = source.put("/p", playlist("/1.mp4", title=title), type="text/html")

    said = fetch(proxy, url, f"{folder}/file")

    assert said[-1]["done"] == f"{folder}/file.mp4"
    assert names_in(folder) == ["file.mp4"]
    assert names_in(tmp_path) == ["100% $HOME ~"]


@pytest.mark.parametrize(
    ("path", "type_"),
    [("/x.exe", "application/x-msdownload"), ("/x.php", "text/x-php"), ("/x", "x/sh")],
)
def test_what_is_no_video_is_not_written(source, proxy, tmp_path, path, type_):
    url = source.put(path, b"#!/bin/sh\n", type=type_)

    with pytest.raises(ChildError):
        fetch(proxy, url, f"{tmp_path}/file")

    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "data:video/mp4,x", "ftp://x.example/a.mp4", "ytsearch:x"],
)
def test_other_schemes_are_refused(proxy, tmp_path, url):
    with pytest.raises(ChildError, match="http://") as caught:
        fetch(proxy, url, f"{tmp_path}/file")

    assert caught.value.trouble == "permanent"


@pytest.mark.parametrize("there", ["file:///etc/passwd", "data:video/mp4,x"])
def test_other_schemes_are_refused_behind_a_redirect(source, proxy, tmp_path, there):
    with pytest.raises(ChildError):
        fetch(proxy, source.behave("/r", redirect(there)), f"{tmp_path}/file")

    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, "login"),
        (403, "login"),
        (404, "permanent"),
        (429, "throttled"),
        (503, "passing"),
    ],
)
def test_answer_is_told_as_what_it_means(source, proxy, status, trouble):
    url = source.put("/p", "no", status=status)

    with pytest.raises(ChildError, match=str(status)) as caught:
        list_at(proxy, url)

    assert caught.value.trouble == trouble


def test_ended_in_the_middle_within_two_seconds_and_continued(source, proxy, tmp_path):
    content = VIDEO * 10
    url = source.behave("/1.mp4", slowly(content))
    request = Request(do="fetch", url=url, proxy=proxy.url, target=f"{tmp_path}/file")
    with Child(request) as child:
        for said in child.hear():
            if said.get("bytes", 0) > 200_000:
                break
        asked_at = time.monotonic()
    took_s = time.monotonic() - asked_at
    there = (tmp_path / "file.mp4.part").stat().st_size
    source.requests.clear()

    ended = run(request)

    assert took_s < 2
    assert child.process.returncode in (143, -signal.SIGTERM)
    assert there >= 200_000
    assert (tmp_path / "file.mp4").read_bytes() == content
    assert f"bytes={there}-" in [headers.get("range") for _, headers in source.requests]
    assert ended[-1]["extension"] == "mp4"


def test_fetch_beats_at_least_every_other_second_and_at_most_five_times(
    source, proxy, tmp_path
):
    url = source.behave("/1.mp4", slowly(VIDEO * 2, pause_s=0.1))
    request = Request(do="fetch", url=url, proxy=proxy.url, target=f"{tmp_path}/file")
    with Child(request) as child:
        heard = [time.monotonic() for said in child.hear() if "bytes" in said]

    gaps = [later - earlier for earlier, later in pairwise(heard)]
    assert max(gaps) < 2
    assert len(heard) <= (heard[-1] - heard[0]) * 5 + 3


@pytest.mark.parametrize(
    "size", [-5, 0, 10**25, float("inf"), float("nan"), "many", None]
)
def test_what_can_be_no_size_is_not_told(size):
    told = io.StringIO()
    progress = Progress(Speaker(told))

    progress.hook({"filename": "a", "downloaded_bytes": size, "total_bytes": size})

    assert json.loads(told.getvalue()) == {"bytes": 0, "size": None}


def test_sizes_are_told_together_where_all_are_known():
    told = io.StringIO()
    progress = Progress(Speaker(told))

    progress.hook({"filename": "a", "downloaded_bytes": 5, "total_bytes": 10})
    progress.hook(
        {"filename": "b", "downloaded_bytes": 1, "total_bytes_estimate": 20.6}
    )
    progress.say()

    assert json.loads(told.getvalue().splitlines()[-1]) == {"bytes": 6, "size": 30}


def test_rate_is_limited(source, proxy, tmp_path):
    url = source.put("/1.mp4", VIDEO, type="video/mp4")
    began_at = time.monotonic()

    fetch(proxy, url, f"{tmp_path}/file", rate_limit=100_000)

    assert time.monotonic() - began_at > 1.5


@pytest.mark.parametrize("content", [b"session=1\n", b"\xff\xfe\x00"])
def test_file_that_holds_no_cookies_is_told(source, proxy, tmp_path, content):
    cookies = tmp_path / "cookies.txt"
    cookies.write_bytes(content)
    url = source.put("/p", "<html></html>", type="text/html")

    with pytest.raises(ChildError, match="not in Netscape's format") as caught:
        run(Request(do="list", url=url, proxy=proxy.url, cookies=str(cookies)))

    assert caught.value.trouble == "login"


def test_cookies_are_sent_and_their_file_is_left_alone(source, proxy, tmp_path):
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tvalue\n"
    cookies.write_text(text, encoding="utf-8")
    url = source.put("/p", playlist("/1.mp4"), type="text/html")

    run(Request(do="list", url=url, proxy=proxy.url, cookies=str(cookies)))

    assert source.requests[0][1]["cookie"] == "name=value"
    assert cookies.read_text(encoding="utf-8") == text


def test_library_of_another_folder_is_used(proxy, tmp_path):
    (tmp_path / "yt_dlp").mkdir()
    (tmp_path / "yt_dlp" / "__init__.py").write_text("raise OSError('the other one')")

    with pytest.raises(ChildError, match="the other one"):
        run(
            Request(
                do="list",
                url="http://127.0.0.1/",
                proxy=proxy.url,
                library=str(tmp_path),
            )
        )


@pytest.mark.parametrize("given", ["", "{", "[]", '{"do": "list"}'])
def test_wrong_request_is_an_error_and_code_one(given):
    done = subprocess.run(
        [sys.executable, "-m", "aniworld_site.downloads.ytdlp.child"],
        input=given,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=20,
        check=False,
    )

    assert done.returncode == 1
    assert '"error"' in done.stdout


def test_child_that_hears_nothing_of_the_signal_is_killed(source, proxy):
    url = source.behave("/p", lambda request: source.stop.wait(20))
    with Child(Request(do="list", url=url, proxy=proxy.url)) as child:
        with pytest.raises(ChildError, match="not through after 1 s"):
            list(child.hear(timeout_s=1))
        os.kill(child.process.pid, signal.SIGSTOP)
        asked_at = time.monotonic()
        child.stop()
    source.stop.set()

    assert time.monotonic() - asked_at < 2
    assert child.process.returncode == -signal.SIGKILL
