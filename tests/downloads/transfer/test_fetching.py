"""One file from servers that cut, change, lie and send without an end: the right bytes in the end, or a sentence."""

from __future__ import annotations

import errno
import fcntl
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.transfer import fetching, pacing, parts
from aniworld_site.downloads.transfer.contents import check_head
from aniworld_site.downloads.transfer.fetching import DiskFullError
from aniworld_site.downloads.transfer.pacing import Pacer
from aniworld_site.downloads.transfer.parts import Part, PartBusyError
from tests.downloads.media import Video, crc32, make_video, put_video, sha256
from tests.downloads.sources import (
    PUBLIC_HOST,
    BadSource,
    Request,
    drip,
    endless,
    make_public,
    redirect,
)
from tests.downloads.transfer.jobs import Fetcher

VIDEO = make_video()
HALF = 49_152


@pytest.fixture
def video(source: BadSource) -> Video:
    return put_video(source, "/1.mkv", VIDEO)


@pytest.fixture
def fetcher(source: BadSource, tmp_path: Path) -> Fetcher:
    return Fetcher(f"{source.url}/1.mkv", tmp_path)


def cut(video: Video, fetcher: Fetcher, *, checksum: str = "") -> None:
    """Fetch the first half of a video."""
    video.cut_after = HALF
    with pytest.raises(ProviderError) as caught:
        fetcher.fetch(checksum=checksum)
    assert caught.value.trouble == Trouble.PASSING
    assert len(fetcher.content) == HALF


def test_a_whole_file_comes_with_its_size_and_ending(video: Video, fetcher: Fetcher):
    fetched = fetcher.fetch(size_bytes=len(VIDEO), checksum=sha256(VIDEO))

    assert (fetched.size_bytes, fetched.extension) == (len(VIDEO), ".mkv")
    assert fetcher.content == VIDEO
    assert video.requests == [""]
    last = fetcher.told[-1]
    assert (last.bytes_done, last.size_bytes, last.is_verifying) == (
        len(VIDEO),
        len(VIDEO),
        True,
    )


# Resuming


def test_what_was_cut_goes_on_where_it_was(video: Video, fetcher: Fetcher):
    cut(video, fetcher)

    fetcher.fetch()

    assert video.requests == ["", f"bytes={HALF}-"]
    assert fetcher.content == VIDEO
    assert fetcher.told[0].bytes_done == HALF


@pytest.mark.parametrize("knows_total", [True, False])
def test_a_server_that_sends_pieces_is_asked_until_all_is_there(
    video: Video, fetcher: Fetcher, knows_total
):
    cut(video, fetcher)
    video.piece, video.knows_total = 20_000, knows_total

    fetched = fetcher.fetch()

    starts = (HALF, HALF + 20_000, HALF + 40_000)
    assert video.requests == ["", *(f"bytes={start}-" for start in starts)]
    assert (fetched.size_bytes, fetcher.content) == (len(VIDEO), VIDEO)
    assert {told.size_bytes for told in fetcher.told} == {len(VIDEO)}


def test_a_rest_without_a_length_that_is_cut_is_no_end(video: Video, fetcher: Fetcher):
    cut(video, fetcher)
    video.has_length, video.cut_after = False, 16_384

    with pytest.raises(ProviderError, match=f"ended after 65536 of {len(VIDEO)} bytes"):
        fetcher.fetch()

    fetcher.fetch()
    assert video.requests == ["", f"bytes={HALF}-", "bytes=65536-"]
    assert fetcher.content == VIDEO


def test_a_piece_with_less_than_it_promises_is_no_end(
    source: BadSource, video: Video, fetcher: Fetcher
):
    cut(video, fetcher)

    def answer_briefly(request: Request) -> None:
        request.answer(
            206,
            VIDEO[HALF : HALF + 10],
            ETag='"1"',
            Content_Range=f"bytes {HALF}-{len(VIDEO) - 1}/{len(VIDEO)}",
        )
        source.behave("/1.mkv", video)

    source.behave("/1.mkv", answer_briefly)

    fetcher.fetch()

    assert video.requests == ["", f"bytes={HALF + 10}-"]
    assert fetcher.content == VIDEO


def test_an_empty_piece_is_not_asked_for_again_and_again(
    source: BadSource, video: Video, fetcher: Fetcher
):
    cut(video, fetcher)
    said = f"bytes {HALF}-{len(VIDEO) - 1}/{len(VIDEO)}"
    source.behave("/1.mkv", lambda request: request.answer(206, Content_Range=said))

    with pytest.raises(ProviderError, match="ended after 49152 of 100000") as caught:
        fetcher.fetch()

    assert (caught.value.trouble, len(source.requests)) == (Trouble.PASSING, 2)


def test_a_piece_of_nobody_knows_how_much_is_not_used(video: Video, fetcher: Fetcher):
    video.has_length = False
    with pytest.raises(ProviderError, match="ended after"):
        fetcher.fetch(size_bytes=len(VIDEO) + 1)
    fetcher.path.write_bytes(VIDEO[:HALF])
    video.knows_total = False

    fetcher.fetch()

    assert video.requests == ["", f"bytes={HALF}-", ""]
    assert fetcher.content == VIDEO


def test_a_version_that_a_piece_does_not_say_again_is_kept(
    source: BadSource, video: Video, fetcher: Fetcher
):
    cut(video, fetcher)
    video.etag, video.piece = "", 30_000

    def ignore_versions(request: Request) -> None:
        del request.headers["If-Range"]
        video(request)

    source.behave("/1.mkv", ignore_versions)

    fetcher.fetch()

    asked = [headers.get("If-Range") for _path, headers in source.requests]
    assert asked == [None, '"1"', '"1"']


@pytest.mark.parametrize("said", ["bytes 49152-1/100000", "bytes 49152-" + "9" * 5000])
def test_a_range_that_can_be_none_is_not_used(
    source: BadSource, video: Video, fetcher: Fetcher, said: str
):
    cut(video, fetcher)

    def answer_oddly(request: Request) -> None:
        source.behave("/1.mkv", video)
        request.answer(206, b"x", Content_Range=said)

    source.behave("/1.mkv", answer_oddly)

    fetcher.fetch()

    assert (video.requests, fetcher.content) == (["", ""], VIDEO)


def test_what_was_whole_is_fetched_anew_where_the_source_lists_another_size(
    video: Video, fetcher: Fetcher
):
    fetcher.fetch()

    with pytest.raises(ProviderError, match="it is not the same file"):
        fetcher.fetch(size_bytes=len(VIDEO) + 1)


def test_a_server_without_ranges_is_asked_for_all_of_it(video: Video, fetcher: Fetcher):
    video.has_ranges = False
    cut(video, fetcher)

    fetcher.fetch()

    assert fetcher.content == VIDEO
    assert fetcher.told[0].bytes_done == 0


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_nothing_is_continued_that_may_be_another_version(
    video: Video, fetcher: Fetcher, etag: str
):
    video.etag = etag
    cut(video, fetcher)

    fetcher.fetch()

    assert video.requests == ["", ""]
    assert fetcher.content == VIDEO


def test_a_checksum_makes_up_for_a_version(video: Video, fetcher: Fetcher):
    video.etag = ""
    cut(video, fetcher, checksum=sha256(VIDEO))

    fetcher.fetch(checksum=sha256(VIDEO))

    assert video.requests == ["", f"bytes={HALF}-"]
    assert fetcher.content == VIDEO


@pytest.mark.parametrize("size", [len(VIDEO), len(VIDEO) + 1000, HALF - 1000])
def test_another_version_is_fetched_anew(video: Video, fetcher: Fetcher, size: int):
    cut(video, fetcher)
    video.content, video.etag = make_video(size, seed=2), '"2"'

    fetcher.fetch()

    assert fetcher.content == video.content


@pytest.mark.parametrize("size", [len(VIDEO), len(VIDEO) + 1000])
def test_two_versions_are_never_mixed_by_a_server_that_compares_none(
    source: BadSource, video: Video, fetcher: Fetcher, size: int
):
    cut(video, fetcher)
    video.content, video.etag = make_video(size, seed=2), '"2"'

    def ignore_versions(request: Request) -> None:
        del request.headers["If-Range"]
        video(request)

    source.behave("/1.mkv", ignore_versions)

    fetcher.fetch()

    assert fetcher.content == video.content
    assert video.requests == ["", f"bytes={HALF}-", ""]


@pytest.mark.parametrize("shift", [-100, 100])
def test_a_part_that_begins_elsewhere_is_not_used(
    video: Video, fetcher: Fetcher, shift: int
):
    cut(video, fetcher)
    video.range_shift = shift

    fetcher.fetch()

    assert video.requests == ["", f"bytes={HALF}-", ""]
    assert fetcher.content == VIDEO


def test_what_is_there_already_is_not_sent_again(video: Video, fetcher: Fetcher):
    fetcher.fetch()

    fetched = fetcher.fetch(checksum=f"crc32:{crc32(VIDEO).lower()}")

    assert video.requests == ["", f"bytes={len(VIDEO)}-"]
    assert (fetched.size_bytes, fetcher.content) == (len(VIDEO), VIDEO)


def test_another_address_begins_anew(source: BadSource, video: Video, fetcher: Fetcher):
    cut(video, fetcher)
    other = put_video(source, "/2.mkv", make_video(seed=2))
    fetcher.target["url"] = f"{source.url}/2.mkv"

    fetcher.fetch()

    assert (other.requests, fetcher.content) == ([""], other.content)


def test_after_a_power_cut_only_what_is_surely_on_the_disk_is_kept(
    video: Video, fetcher: Fetcher, monkeypatch, tmp_path: Path
):
    cut(video, fetcher)
    origin = fetcher.path.with_name("1.part.json")
    origin.write_text(json.dumps({**json.loads(origin.read_text()), "synced": 10_000}))
    fetcher.path.write_bytes(VIDEO[:10_000] + bytes(HALF - 10_000))
    monkeypatch.setattr(parts, "BOOT_ID", tmp_path / "boot_id")
    (tmp_path / "boot_id").write_text("another")

    fetcher.fetch()

    assert video.requests == ["", "bytes=10000-"]
    assert fetcher.content == VIDEO


def test_a_part_without_a_note_of_its_version_begins_anew(
    video: Video, fetcher: Fetcher
):
    cut(video, fetcher)
    fetcher.path.with_name("1.part.json").write_text("{garbage")

    fetcher.fetch()

    assert (video.requests, fetcher.content) == (["", ""], VIDEO)


def test_a_part_that_another_process_writes_is_left_alone(
    video: Video, fetcher: Fetcher
):
    fetcher.path.parent.mkdir()
    script = f"""
import sys
from pathlib import Path
from aniworld_site.downloads.transfer.parts import Part
part = Part(Path({str(fetcher.path)!r}))
print("held", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(each for each in sys.path if each)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"

        with pytest.raises(PartBusyError, match="is being written"):
            fetcher.fetch()
        other.communicate(b"", timeout=10)

    fetcher.fetch()
    assert (video.requests, fetcher.content) == ([""], VIDEO)


def test_a_file_system_without_locks_is_said(fetcher: Fetcher, monkeypatch):
    def refuse(_fd: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(OSError, match="No locks available"):
        Part(fetcher.path)


def test_a_part_is_no_link(fetcher: Fetcher, tmp_path: Path):
    fetcher.path.parent.mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    fetcher.path.symlink_to(tmp_path / "precious")

    with pytest.raises(OSError, match="symbolic links"):
        Part(fetcher.path)

    assert (tmp_path / "precious").read_bytes() == b"precious"


# Sizes and checksums


def test_a_file_of_another_size_is_refused(video: Video, fetcher: Fetcher):
    with pytest.raises(ProviderError, match="it is not the same file") as caught:
        fetcher.fetch(size_bytes=len(VIDEO) + 1)

    assert caught.value.trouble == Trouble.PERMANENT


def test_a_file_without_a_length_ends_when_it_ends(video: Video, fetcher: Fetcher):
    video.has_length = False

    fetched = fetcher.fetch()

    assert (fetched.size_bytes, fetcher.content) == (len(VIDEO), VIDEO)


@pytest.mark.parametrize(
    ("difference", "sentence"), [(1, "ended after"), (-1, "sends more than the")]
)
def test_a_file_without_a_length_has_the_size_that_is_listed(
    video: Video, fetcher: Fetcher, difference: int, sentence: str
):
    video.has_length = False

    with pytest.raises(ProviderError, match=sentence):
        fetcher.fetch(size_bytes=len(VIDEO) + difference)


@pytest.mark.parametrize("length", ["9" * 18, str(10**25), "9" * 5000])
def test_a_file_that_no_disk_holds_is_refused(
    source: BadSource, fetcher: Fetcher, length: str
):
    def promise(request: Request) -> None:
        request.answer(200, VIDEO, Content_Length=length)
        request.close_connection = True

    source.behave("/1.mkv", promise)

    with pytest.raises(ProviderError, match="more than 1024 TiB") as caught:
        fetcher.fetch(most_bytes=1 << 60)

    assert caught.value.trouble == Trouble.PERMANENT
    assert fetcher.told == []


@pytest.mark.parametrize("length", ["-5", "1_000", "+5", "5, 6", "many"])
def test_a_length_that_is_none_is_not_believed(
    source: BadSource, fetcher: Fetcher, length: str
):
    def promise(request: Request) -> None:
        request.answer(200, VIDEO, Content_Length=length)
        request.close_connection = True

    source.behave("/1.mkv", promise)

    assert fetcher.fetch().size_bytes == len(VIDEO)
    assert {told.size_bytes for told in fetcher.told} == {None}


def test_what_comes_behind_the_end_is_not_read(source: BadSource, fetcher: Fetcher):
    def send_more(request: Request) -> None:
        request.answer(200, VIDEO + b"more", Content_Length=str(len(VIDEO)))
        request.close_connection = True

    source.behave("/1.mkv", send_more)

    fetched = fetcher.fetch()

    assert (fetched.size_bytes, fetcher.content) == (len(VIDEO), VIDEO)


@pytest.mark.parametrize("algorithm", ["sha256", "crc32", "md5"])
def test_another_checksum_throws_the_bytes_away(
    video: Video, fetcher: Fetcher, algorithm: str
):
    with pytest.raises(ProviderError, match="another checksum than"):
        fetcher.fetch(checksum=f"{algorithm}:00")

    assert fetcher.content == b""
    fetcher.fetch(checksum=sha256(VIDEO))
    assert video.requests == ["", ""]


def test_a_body_without_an_end_is_bounded_by_the_room(
    source: BadSource, fetcher: Fetcher
):
    source.behave("/1.mkv", endless)

    with pytest.raises(DiskFullError):
        fetcher.fetch(most_bytes=300_000)

    assert len(fetcher.content) <= 300_000


def test_a_body_without_an_end_is_given_up_where_there_is_much_room(
    source: BadSource, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
):
    """It would take the whole disk, and wait for more."""
    monkeypatch.setattr(fetching, "LARGEST_UNKNOWN_BYTES", 1 << 20)
    source.behave("/1.mkv", endless)

    with pytest.raises(ProviderError, match="may have no end") as caught:
        fetcher.fetch(most_bytes=1 << 30)

    assert caught.value.trouble == Trouble.PERMANENT
    assert fetcher.content == b""


def test_a_file_that_fills_the_room_before_its_listed_end_waits_for_room(
    video: Video, fetcher: Fetcher
):
    video.has_length = False

    with pytest.raises(DiskFullError):
        fetcher.fetch(size_bytes=len(VIDEO), most_bytes=HALF)


def test_what_does_not_fit_is_not_begun(video: Video, fetcher: Fetcher):
    with pytest.raises(DiskFullError):
        fetcher.fetch(most_bytes=len(VIDEO) - 1)

    assert fetcher.content == b""
    assert [told.size_bytes for told in fetcher.told] == [len(VIDEO)]


def test_a_rest_that_does_not_fit_is_told_with_what_is_there(
    video: Video, fetcher: Fetcher
):
    cut(video, fetcher)

    with pytest.raises(DiskFullError):
        fetcher.fetch(most_bytes=len(VIDEO) - 1)

    [told] = fetcher.told
    assert (told.bytes_done, told.size_bytes) == (HALF, len(VIDEO))
    assert len(fetcher.content) == HALF


# What it is


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>" + b"x" * 5000, "a web page"),
        (b"\n <html>", "a web page"),
        (b"PK\x03\x04" + b"x" * 5000, "a ZIP archive"),
        (b"MZ" + b"x" * 5000, "a program"),
        (b'{"error": "no"}', "text"),
        (b"#EXTM3U\n", "a playlist"),
        (b"This link has expired.\n", "got text"),
        ("Der Link läuft nicht mehr. ☹ ".encode() * 40, "got text"),
        ("Der Link läuft nicht mehr.".encode("cp1252"), "got text"),
        ("This link has expired.".encode("utf-16"), "got text"),
        (b"\x1b[31mexpired\x07", "got text"),
        (b"", "sends nothing"),
    ],
)
def test_what_is_no_video_is_refused_whatever_it_says(
    source: BadSource, fetcher: Fetcher, content: bytes, what: str
):
    source.put("/1.mkv", content, type="video/mp4")

    with pytest.raises(ProviderError, match=what) as caught:
        fetcher.fetch()

    assert caught.value.trouble == Trouble.PERMANENT


@pytest.mark.parametrize(
    "mime", ["text/html; charset=utf-8", "application/json", "image/png", "Audio/MPEG"]
)
def test_what_says_that_it_is_no_video_is_refused(
    video: Video, fetcher: Fetcher, mime: str
):
    video.type = mime

    with pytest.raises(ProviderError, match="Expected a video from"):
        fetcher.fetch()

    assert fetcher.content == b""


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity, x\x1b[2J"])
def test_what_is_packed_on_its_way_is_refused(
    source: BadSource, fetcher: Fetcher, encoding: str
):
    source.put(
        "/1.mkv",
        VIDEO,
        type="video/x-matroska",
        headers={"Content-Encoding": encoding},
    )

    with pytest.raises(ProviderError, match="got something packed") as caught:
        fetcher.fetch()

    assert caught.value.trouble == Trouble.PERMANENT
    assert str(caught.value).isprintable()
    assert fetcher.content == b""


def test_what_says_that_it_is_not_packed_is_taken(source: BadSource, fetcher: Fetcher):
    source.put(
        "/1.mkv",
        VIDEO,
        type="video/x-matroska",
        headers={"Content-Encoding": "Identity"},
    )

    assert fetcher.fetch().size_bytes == len(VIDEO)


HEADS = {
    "mkv": "1a45dfa3a34286810142f7810142f2810442f381084282886d6174726f736b61",
    "webm": "1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104",
    "mp4": "000000206674797069736f6d0000020069736f6d69736f32617663316d703431",
    "avi": "524946460a1b2c3d415649204c495354140100006864726c6176696838000000",
    "ts": "47400011000000b00d0001c100000001f0002ab104b2ffffffffffffffffffff",
    "mpg": "000001ba2100010001800001000001bb000c80000107e1ff",
    "ogv": "4f67675300020000000000000000000000000000000000000000000000000000",
    "flv": "464c5601050000000900000000120001",
    "wmv": "3026b2758e66cf11a6d900aa0062ce6c",
    "tiny": "1a45dfa3",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_no_video_is_taken_for_text(head: str):
    check_head("a.example", bytes.fromhex(head))


def test_an_ending_comes_from_the_content_where_nothing_else_says(
    source: BadSource, fetcher: Fetcher
):
    put_video(source, "/watch?v=1", VIDEO, type="application/octet-stream")
    fetcher.target["url"] = f"{source.url}/watch?v=1"

    assert fetcher.fetch().extension == ".mkv"


# Refusals, redirects and secrets


@pytest.mark.parametrize(
    ("status", "headers", "trouble", "seconds"),
    [
        (429, {"Retry_After": "120"}, Trouble.THROTTLED, 120),
        (429, {}, Trouble.THROTTLED, None),
        (503, {"Retry_After": "5"}, Trouble.THROTTLED, 5),
        (503, {}, Trouble.PASSING, None),
        (401, {}, Trouble.LOGIN, None),
        (403, {}, Trouble.LOGIN, None),
        (404, {}, Trouble.PERMANENT, None),
        (500, {}, Trouble.PASSING, None),
    ],
)
def test_a_refusal_keeps_what_came(
    video: Video, fetcher: Fetcher, status, headers, trouble, seconds
):
    cut(video, fetcher)
    video.refuses.append((status, headers))

    with pytest.raises(ProviderError) as caught:
        fetcher.fetch()

    assert (caught.value.trouble, caught.value.retry_after_s) == (trouble, seconds)
    assert len(fetcher.content) == HALF


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]"])
def test_a_redirect_to_this_machine_is_refused_before_anything_is_sent(
    source: BadSource, fetcher: Fetcher, monkeypatch, host: str
):
    make_public(monkeypatch)
    with BadSource().running() as canary:
        put_video(canary, "/1.mkv", VIDEO)
        source.behave("/1.mkv", redirect(f"http://{host}:{canary.port}/1.mkv"))
        fetcher.target = {"url": f"http://{PUBLIC_HOST}:{source.port}/1.mkv"}

        with pytest.raises(ProviderError, match="on this machine") as caught:
            fetcher.fetch()

        assert canary.requests == []
    assert caught.value.trouble == Trouble.PERMANENT
    assert len(source.requests) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_a_source_that_may_be_private_leads_to_no_other_host_of_this_network(
    source: BadSource, fetcher: Fetcher, host: str
):
    source.behave("/1.mkv", redirect(f"http://{host}:{source.port}/2.mkv"))

    with pytest.raises(ProviderError, match="Allow that host"):
        fetcher.fetch()

    assert [path for path, _headers in source.requests] == ["/1.mkv"]


def test_another_host_of_this_network_may_be_allowed(
    source: BadSource, fetcher: Fetcher
):
    put_video(source, "/2.mkv", VIDEO)
    source.behave("/1.mkv", redirect(f"http://localhost:{source.port}/2.mkv"))
    fetcher.target["private_hosts"] = ["127.0.0.1", "localhost"]

    assert fetcher.fetch().size_bytes == len(VIDEO)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x/1.mkv", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(
    source: BadSource, fetcher: Fetcher, location: str
):
    source.behave("/1.mkv", redirect(location))

    with pytest.raises(ProviderError, match="Expected an address"):
        fetcher.fetch()


def test_a_redirect_to_no_address_is_refused(source: BadSource, fetcher: Fetcher):
    source.behave("/1.mkv", redirect("//["))

    with pytest.raises(ProviderError, match="redirects to what is no address"):
        fetcher.fetch()


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "ä" * 64])
def test_a_host_that_can_be_none_is_refused(fetcher: Fetcher, host: str):
    fetcher.target["url"] = f"http://{host}/1.mkv"

    with pytest.raises(ProviderError):
        fetcher.fetch()


def test_redirects_end(source: BadSource, fetcher: Fetcher):
    source.behave("/1.mkv", redirect("/1.mkv"))

    with pytest.raises(ProviderError, match="redirects more than 5 times"):
        fetcher.fetch()

    assert len(source.requests) == 6


def test_a_redirect_is_followed_and_the_part_belongs_to_the_first_address(
    source: BadSource, video: Video, fetcher: Fetcher
):
    source.behave("/go", redirect("/1.mkv"))
    fetcher.target["url"] = f"{source.url}/go"
    cut(video, fetcher)

    fetcher.fetch()

    assert (video.requests[-1], fetcher.content) == (f"bytes={HALF}-", VIDEO)


def test_a_password_goes_to_the_source_and_to_no_other_host(
    source: BadSource, fetcher: Fetcher
):
    with BadSource().running() as other:
        put_video(other, "/1.mkv", VIDEO)
        source.behave("/1.mkv", redirect(f"{other.url}/1.mkv"))
        fetcher.target |= {
            "username": "me",
            "password": "secret",
            "source_url": f"{source.url}/feed",
        }

        fetcher.fetch()

        assert "Authorization" not in other.requests[0][1]
    assert source.requests[0][1]["Authorization"] == "Basic bWU6c2VjcmV0"


def test_a_password_of_a_secure_source_is_never_sent_in_the_clear(
    source: BadSource, video: Video, fetcher: Fetcher
):
    fetcher.target |= {
        "username": "me",
        "password": "secret",
        "source_url": source.url.replace("http:", "https:"),
    }

    fetcher.fetch()

    assert "Authorization" not in source.requests[0][1]


# Speed


def turn_clock(monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """Let so many seconds pass whenever somebody looks at the clock."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += step_s
        return now[0]

    monkeypatch.setattr(
        pacing, "time", SimpleNamespace(monotonic=monotonic, sleep=lambda _s: None)
    )


def test_a_source_that_drips_is_given_up(
    source: BadSource, fetcher: Fetcher, monkeypatch
):
    source.behave("/1.mkv", drip)
    turn_clock(monkeypatch, 5)

    with pytest.raises(ProviderError, match="less than 1 KiB a second") as caught:
        fetcher.fetch()

    assert caught.value.trouble == Trouble.PASSING


@pytest.mark.parametrize(
    ("limit", "count", "is_stuck"),
    [(0, 10, True), (0, 10_000, False), (2000, 10, False), (100_000, 10, True)],
)
def test_slow_is_what_nothing_here_holds_back(monkeypatch, limit, count, is_stuck):
    turn_clock(monkeypatch, 7)
    pacer = Pacer(limit)

    assert any(pacer.is_stuck(count) for _second in range(9)) == is_stuck
