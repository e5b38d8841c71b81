"""A download from the queue to the library, with real children and a source that misbehaves."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from aniworld_site.disks import Disk
from aniworld_site.downloads import transitions
from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.importing import bring_in
from aniworld_site.downloads.models import Download, Queue, Source, SourceEpisode
from aniworld_site.downloads.outcomes import settle_failure
from aniworld_site.downloads.runner import Runner
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import EpisodeFile, FileOperation
from tests.downloads.media import sha256
from tests.downloads.queues import Shelf, claim, has_ended, make_shelf, work
from tests.downloads.test_dispatching_steering import get_part, list_children
from tests.factories import make_root

pytestmark = pytest.mark.django_db(transaction=True)

State = Download.State


def test_a_download_ends_in_the_library(shelf, dispatcher):
    episode = shelf.add()
    [download] = shelf.queue()

    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (State.DONE, "")
    place = "Night Show (2013)/Season 01/Night Show - S01E01 - Part 1.mkv"
    assert shelf.list_files() == [place]
    assert (shelf.path / place).read_bytes() == shelf.videos[0].content
    episode.refresh_from_db()
    assert episode.has_file
    file = EpisodeFile.objects.get()
    assert (str(file), file.is_locked) == (place, True)
    assert list(file.episodes.all()) == [episode]
    assert FileOperation.objects.get().state == FileOperation.State.DONE
    assert list((shelf.path / ".aniworld" / "partial").iterdir()) == []


def test_what_ytdlp_finds_ends_in_the_library(source, tmp_path, dispatcher):
    shelf = make_shelf(source, tmp_path / "media", kind="yt-dlp")
    shelf.add(video={"type": "video/mp4"}, url=f"{source.url}/1.mkv", size_bytes=None)
    [download] = shelf.queue()

    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (State.DONE, "")
    [name] = shelf.list_files()
    assert (shelf.path / name).read_bytes() == shelf.videos[0].content
    assert list((shelf.path / ".aniworld" / "partial").iterdir()) == []


def has_settled() -> bool:
    """Tell whether nothing runs or is about to."""
    return not Download.objects.running().exists() and not (
        transitions.is_anything_claimable()
    )


def fail_once(shelf: Shelf, dispatcher: Dispatcher) -> Download:
    """Let a download come to its first end, and return it as it is then."""
    work(dispatcher, until=lambda: bool(shelf.server.requests))
    work(dispatcher, until=has_settled)
    return Download.objects.earliest("pk")


def wait_no_more() -> None:
    """Let all the time pass that anything waits for."""
    Download.objects.update(due_at=None)
    Source.objects.update(rests_until=None)


def test_nothing_is_left_of_many_downloads_but_their_files(shelf, dispatcher):
    for _ in range(5):
        shelf.add(20_000)
    shelf.queue()

    work(dispatcher, until=has_ended)

    assert len(shelf.list_files()) == 5
    assert list((shelf.path / ".aniworld" / "partial").iterdir()) == []
    assert list_children() == []


# Sources that fail


def test_what_is_cut_goes_on_by_itself(shelf, dispatcher):
    shelf.add(video={"cut_after": 49_152})
    shelf.queue()

    waiting = fail_once(shelf, dispatcher)
    state = (waiting.state, waiting.wait, waiting.attempts, waiting.bytes_done)
    wait_no_more()
    work(dispatcher, until=has_ended)

    assert state == (State.WAITING, "host", 1, 49_152)
    assert "127.0.0.1" in waiting.reason
    assert shelf.videos[0].requests == ["", "bytes=49152-"]
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.DONE, 0)


def test_a_source_without_retries_fails_with_a_sentence(source, tmp_path, dispatcher):
    shelf = make_shelf(source, tmp_path / "media", retries=0)
    shelf.add(video={"refuses": [(500, {})]})
    shelf.queue()

    failed = fail_once(shelf, dispatcher)

    assert (failed.state, failed.reason) == (
        State.FAILED,
        "Given up after 1 try. 127.0.0.1 has a fault of its own (500 Internal Server Error).",
    )


def test_a_download_is_given_up_after_as_many_failures_as_its_source_allows(
    source, tmp_path, dispatcher
):
    shelf = make_shelf(source, tmp_path / "media", retries=2)
    shelf.add(video={"refuses": [(500, {})] * 9})
    shelf.queue()

    for _try in range(3):
        wait_no_more()
        work(dispatcher, until=has_settled)

    assert len(shelf.videos[0].requests) == 3
    assert "Given up after 3 tries." in Download.objects.get().reason


def test_what_is_not_there_is_not_tried_again(shelf, dispatcher):
    shelf.add(video={"refuses": [(404, {})]})
    shelf.queue()

    failed = fail_once(shelf, dispatcher)

    assert failed.state == State.FAILED
    assert "has nothing at this address" in failed.reason


def test_a_source_that_is_asked_too_often_rests_with_all_its_downloads(
    source, tmp_path, dispatcher
):
    shelf = make_shelf(source, tmp_path / "media", concurrency=1)
    shelf.add(video={"refuses": [(429, {"Retry_After": "120"})]})
    shelf.add()
    shelf.queue()

    work(dispatcher, until=lambda: Source.objects.get().rests_until is not None)
    work(dispatcher, until=lambda: not Download.objects.running().exists())
    dispatcher.look()
    waiting = Download.objects.earliest("pk")
    until = Source.objects.get().rests_until
    asked_early = list(shelf.videos[1].requests)
    wait_no_more()
    work(dispatcher, until=has_ended)

    assert (waiting.state, waiting.wait) == (State.WAITING, "host")
    in_two_minutes = timezone.now() + timedelta(seconds=120)
    assert until is not None
    assert abs(until - in_two_minutes) < timedelta(seconds=30)
    assert asked_early == []
    assert len(shelf.list_files()) == 2


@pytest.mark.parametrize(
    ("rests_for", "expected_min"), [(None, 1), (5, 1), (3_600, 60), (10**7, 1)]
)
def test_a_rest_is_never_made_shorter_but_by_a_person(shelf, rests_for, expected_min):
    """The last is of a clock that was wrong."""
    shelf.add()
    shelf.queue()
    claimed = claim()
    now = timezone.now()
    rests_until = rests_for and now + timedelta(seconds=rests_for)
    Source.objects.update(rests_until=rests_until, rest_reason="Earlier.")

    said = {"error": "Too often.", "trouble": "throttled", "retry_after_s": 60}
    settle_failure(claimed.download, said)

    resting = Source.objects.get()
    assert resting.rests_until is not None
    rest = resting.rests_until - now
    assert abs(rest - timedelta(minutes=expected_min)) < timedelta(seconds=20)
    assert resting.rest_reason == ("Earlier." if expected_min == 60 else "Too often.")


def test_a_file_that_is_forbidden_fails_alone(shelf, dispatcher):
    shelf.add(video={"refuses": [(403, {})]})
    shelf.add()
    shelf.queue()

    work(dispatcher, until=has_ended)

    failed = Download.objects.earliest("pk")
    assert failed.state == State.FAILED
    assert "wants a login" in failed.reason
    assert len(shelf.list_files()) == 1
    assert Source.objects.get().rests_until is None


def test_a_source_whose_login_is_wrong_again_and_again_rests(
    source, tmp_path, dispatcher
):
    shelf = make_shelf(source, tmp_path / "media", concurrency=1)
    for _ in range(4):
        shelf.add(video={"refuses": [(401, {})]})
    shelf.queue()

    work(dispatcher, until=lambda: Source.objects.get().rests_until is not None)
    work(dispatcher, until=lambda: not Download.objects.running().exists())

    resting = Source.objects.get()
    assert resting.rests_until is not None
    assert resting.rests_until > timezone.now() + timedelta(minutes=50)
    assert "wants a login" in resting.rest_reason
    states = list(Download.objects.order_by("pk").values_list("state", flat=True))
    assert states == [State.FAILED] * 3 + [State.QUEUED]


def test_a_source_that_fails_five_times_in_a_row_rests(source, tmp_path, dispatcher):
    shelf = make_shelf(source, tmp_path / "media", concurrency=1)
    for _ in range(6):
        shelf.add(video={"refuses": [(500, {})]})
    shelf.queue()

    work(dispatcher, until=lambda: Source.objects.get().rests_until is not None)
    work(dispatcher, until=lambda: not Download.objects.running().exists())
    states = list(Download.objects.values_list("state", flat=True))
    wait_no_more()
    work(dispatcher, until=lambda: bool(shelf.list_files()))

    assert states == [State.WAITING] * 5 + [State.QUEUED]
    work(dispatcher, until=lambda: Source.objects.get().download_failures == 0)


def test_another_checksum_is_fetched_anew(shelf, dispatcher):
    shelf.add(checksum=sha256(b"another"))
    shelf.queue()
    waiting = fail_once(shelf, dispatcher)
    SourceEpisode.objects.update(checksum=sha256(shelf.videos[0].content))

    wait_no_more()
    work(dispatcher, until=has_ended)

    assert "another checksum" in waiting.reason
    assert shelf.videos[0].requests == ["", ""]
    assert len(shelf.list_files()) == 1


def test_a_file_that_was_replaced_since_it_was_queued_has_its_new_checksum(
    shelf, dispatcher
):
    shelf.add(checksum=sha256(b"another"))
    [download] = shelf.queue()
    SourceEpisode.objects.update(checksum=sha256(shelf.videos[0].content))

    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (State.DONE, "")


def test_a_checksum_of_the_time_of_queueing_counts_where_the_source_has_none_now(
    shelf, dispatcher
):
    shelf.add(checksum=sha256(b"another"))
    shelf.queue()
    SourceEpisode.objects.update(checksum="")

    waiting = fail_once(shelf, dispatcher)

    assert "another checksum" in waiting.reason


# Disks


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="no limits for other processes here"
)
def test_a_file_that_its_file_system_does_not_take_fails_with_a_sentence(
    shelf, dispatcher
):
    shelf.add(500_000, video={"bytes_per_s": 100_000})
    [download] = shelf.queue()
    part = get_part(shelf, download)
    work(dispatcher, until=lambda: part.exists() and part.stat().st_size > 0)

    [child] = list_children()
    resource.prlimit(child, resource.RLIMIT_FSIZE, (150_000, 150_000))
    work(dispatcher, until=has_ended)

    download.refresh_from_db()
    assert (download.state, download.reason) == (
        State.FAILED,
        "The file system takes no file that large.",
    )
    assert Source.objects.get().download_failures == 0


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own with room for one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)  # noqa: S607  # As above.


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_disk_that_others_fill_meanwhile_is_waited_for(
    source, small_disk, dispatcher
):
    shelf = make_shelf(source, small_disk)
    shelf.add(600_000, video={"bytes_per_s": 300_000})
    [download] = shelf.queue()
    part = get_part(shelf, download)
    work(dispatcher, until=lambda: part.exists() and part.stat().st_size > 0)
    filler = small_disk / "filler"

    with pytest.raises(OSError, match="space"):
        fill(filler)
    work(dispatcher, until=has_settled)
    download.refresh_from_db()
    state, reason = (download.state, download.wait), download.reason
    shelf.videos[0].bytes_per_s = 0
    filler.unlink()
    wait_no_more()
    work(dispatcher, until=has_ended)

    assert state == (State.WAITING, "disk")
    assert "It goes on by itself" in reason
    [name] = shelf.list_files()
    assert (shelf.path / name).read_bytes() == shelf.videos[0].content
    assert shelf.videos[0].requests[1].startswith("bytes=")


def test_a_disk_that_is_full_for_ytdlp_is_waited_for(source, small_disk, dispatcher):
    shelf = make_shelf(source, small_disk, kind="yt-dlp")
    video = {"type": "video/mp4", "bytes_per_s": 300_000}
    shelf.add(600_000, video=video, url=f"{source.url}/1.mkv", size_bytes=None)
    [download] = shelf.queue()
    part = get_part(shelf, download).with_suffix(".video.mkv.part")
    work(dispatcher, until=lambda: part.exists() and part.stat().st_size > 0)
    filler = small_disk / "filler"

    with pytest.raises(OSError, match="space"):
        fill(filler)
    work(dispatcher, until=has_settled)
    waiting = Download.objects.get()
    failures = Source.objects.get().download_failures
    shelf.videos[0].bytes_per_s = 0
    filler.unlink()
    wait_no_more()
    work(dispatcher, until=has_ended)

    assert (waiting.state, waiting.wait, failures) == (State.WAITING, "disk", 0)
    assert waiting.reason.startswith("The disk is full.")
    [name] = shelf.list_files()
    assert (shelf.path / name).read_bytes() == shelf.videos[0].content


def test_what_does_not_fit_is_not_begun(shelf, dispatcher):
    shelf.add(size_bytes=1 << 60)
    shelf.queue()

    work(dispatcher, until=has_settled)

    download = Download.objects.get()
    assert (download.state, download.wait) == (State.WAITING, "disk")
    assert shelf.server.requests == []
    SourceEpisode.objects.update(size_bytes=100_000)
    Download.objects.update(size_bytes=100_000)
    wait_no_more()
    work(dispatcher, until=has_ended)
    assert len(shelf.list_files()) == 1


def test_what_turns_out_too_large_is_not_asked_for_again_and_again(
    shelf, dispatcher, monkeypatch
):
    shelf.add(200_000, size_bytes=None)
    shelf.queue()
    disk = Disk(total_bytes=1 << 30, free_bytes=150_000, device=1)

    with monkeypatch.context() as patch:
        patch.setattr(
            dispatcher._meter, "measure", lambda paths: dict.fromkeys(paths, disk)
        )
        waiting = fail_once(shelf, dispatcher)
        wait_no_more()
        dispatcher.look()
        again = Download.objects.get()
    wait_no_more()
    asked = len(shelf.server.requests)
    work(dispatcher, until=has_ended)

    assert (waiting.state, waiting.wait) == (State.WAITING, "disk")
    assert waiting.size_bytes == 200_000
    assert (again.state, asked) == (State.WAITING, 1)
    assert len(shelf.list_files()) == 1


def claim_whole(shelf: Shelf, dispatcher: Dispatcher) -> Download:
    """Claim a download whose bytes are there already."""
    download = claim().download
    part = get_part(shelf, download)
    part.parent.mkdir(parents=True)
    part.write_bytes(shelf.videos[0].content)
    download.bytes_done, download.extension = part.stat().st_size, ".mkv"
    return download


def test_an_import_waits_for_a_root_that_vanished(
    shelf, dispatcher, tmp_path: Path, monkeypatch
):
    shelf.add()
    shelf.queue()
    download = claim_whole(shelf, dispatcher)
    begin_importing = transitions.begin_importing

    def take_away(*arguments: Any) -> None:
        begin_importing(*arguments)
        shelf.path.rename(tmp_path / "away")

    with monkeypatch.context() as patch:
        patch.setattr(transitions, "begin_importing", take_away)
        with pytest.raises(DomainError, match="Is its disk connected"):
            bring_in(download)
    Runner(download=download, most_bytes=1 << 40).run()
    away = Download.objects.get()
    (tmp_path / "away").rename(shelf.path)
    wait_no_more()
    work(dispatcher, until=has_ended)

    assert (away.state, away.wait) == (State.WAITING, "root")
    assert shelf.server.requests == []
    assert len(shelf.list_files()) == 1
    assert FileOperation.objects.get().state == FileOperation.State.DONE


def test_an_import_whose_part_is_gone_is_fetched_again(shelf, dispatcher):
    shelf.add()
    shelf.queue()
    download = claim_whole(shelf, dispatcher)
    get_part(shelf, download).unlink()

    with pytest.raises(DomainError, match="is not there any more"):
        bring_in(download)
    transitions.release(download)
    work(dispatcher, until=has_ended)

    assert len(shelf.list_files()) == 1


def test_an_import_writes_sidecars_where_the_queue_does(shelf, dispatcher):
    Queue.objects.update(writes_nfo=True)
    shelf.add()
    shelf.queue()

    work(dispatcher, until=has_ended)

    operation = FileOperation.objects.get()
    work(dispatcher, until=lambda: bool(FileOperation.objects.get().sidecars))
    assert len(shelf.list_files()) == 3
    assert operation.kind == FileOperation.Kind.IMPORT


def test_a_second_file_of_an_episode_comes_beside_the_first(shelf, dispatcher):
    shelf.add()
    shelf.queue()
    work(dispatcher, until=has_ended)
    shelf.queue()

    work(dispatcher, until=has_ended)

    place = "Night Show (2013)/Season 01/Night Show - S01E01 - Part 1"
    assert shelf.list_files() == [f"{place} (2).mkv", f"{place}.mkv"]


def test_a_disk_that_is_not_mounted_is_not_filled_though_no_scan_saw_its_files(
    shelf, dispatcher
):
    first = shelf.add()
    shelf.queue(first)
    work(dispatcher, until=has_ended)
    shelf.path.rename(shelf.path.with_name("unmounted"))
    (shelf.path / ".aniworld").mkdir(parents=True)
    shelf.queue(shelf.add())

    work(dispatcher, until=lambda: Download.objects.filter(wait="root").exists())

    assert "Is its disk mounted?" in Download.objects.get(wait="root").reason
    assert list((shelf.path / ".aniworld").iterdir()) == []


def test_a_download_goes_on_in_another_root_folder(shelf, dispatcher, tmp_path):
    shelf.add()
    shelf.queue()
    (tmp_path / "other").mkdir()
    other = make_root(path=str(tmp_path / "other"))
    shelf.root.delete()

    work(dispatcher, until=has_ended)

    assert Download.objects.get().state == State.DONE
    assert EpisodeFile.objects.get().root == other
