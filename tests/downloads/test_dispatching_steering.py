"""What a person does while a download runs takes effect within two seconds, on real children."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aniworld_site.downloads import services
from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.models import Download, Queue
from tests.downloads.queues import Shelf, has_ended, work

pytestmark = pytest.mark.django_db(transaction=True)

State = Download.State
SLOW = 100_000
SIZE = 500_000


def list_children() -> list[int]:
    """Return the processes that fetch for this one."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    pids = [pid for task in tasks for pid in read(task / "children").split()]
    return [
        int(pid)
        for pid in pids
        if "downloads.transfer" in read(Path(f"/proc/{pid}/cmdline"))
    ]


def read(path: Path) -> str:
    """Return what the system says, "" of a thread or process that has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def get_part(shelf: Shelf, download: Download) -> Path:
    return shelf.path / ".aniworld" / "partial" / f"{download.pk}.part"


def has_come(shelf: Shelf, download: Download, count: int = 50_000) -> bool:
    part = get_part(shelf, download)
    return part.exists() and part.stat().st_size >= count


def begin(shelf: Shelf, dispatcher: Dispatcher) -> Download:
    """Let a slow download come some way."""
    shelf.add(SIZE, video={"bytes_per_s": SLOW})
    [download] = shelf.queue()
    work(dispatcher, until=lambda: has_come(shelf, download))
    return download


def assert_soon(dispatcher: Dispatcher, is_so: Callable[[], bool]) -> None:
    """Fail unless something is so within two seconds."""
    work(dispatcher, until=is_so, timeout_s=2)


def let_go_on(shelf: Shelf, dispatcher: Dispatcher) -> None:
    shelf.videos[0].bytes_per_s = 0
    work(dispatcher, until=has_ended)
    [place] = shelf.list_files()
    assert (shelf.path / place).read_bytes() == shelf.videos[0].content


def test_a_paused_download_stops_and_resumes_where_it_was(shelf, dispatcher):
    download = begin(shelf, dispatcher)

    services.pause_downloads(Download.objects.all())
    assert_soon(dispatcher, lambda: not list_children())
    came = get_part(shelf, download).stat().st_size
    services.resume_downloads(Download.objects.all())
    let_go_on(shelf, dispatcher)

    assert shelf.videos[0].requests == ["", f"bytes={came}-"]
    download.refresh_from_db()
    assert (download.state, download.starts) == (State.DONE, 2)


@pytest.mark.parametrize(
    "hold",
    [
        lambda: services.pause_downloads(Download.objects.all()),
        lambda: services.stop_queue(by="tests"),
        lambda: services.cancel_downloads(Download.objects.all(), keeps_part=True),
    ],
)
def test_a_held_download_shows_all_that_came(shelf, dispatcher, hold, monkeypatch):
    monkeypatch.setattr("aniworld_site.downloads.runner.BEAT_S", 60)
    download = begin(shelf, dispatcher)
    runner, _thread = dispatcher._running[download.pk]
    work(dispatcher, until=lambda: runner.download.bytes_done >= 50_000)

    hold()
    assert_soon(dispatcher, lambda: not dispatcher._running)

    download.refresh_from_db()
    assert download.bytes_done >= 50_000


@pytest.mark.parametrize("keeps_part", [True, False])
def test_a_cancelled_download_stops_and_keeps_or_drops_what_came(
    shelf, dispatcher, *, keeps_part
):
    download = begin(shelf, dispatcher)

    services.cancel_downloads(Download.objects.all(), keeps_part=keeps_part)
    assert_soon(dispatcher, lambda: not list_children())
    dispatcher._swept_at = 0.0
    dispatcher.look()

    download.refresh_from_db()
    assert download.state == State.CANCELLED
    assert get_part(shelf, download).exists() == keeps_part


@pytest.mark.parametrize("keeps_part", [True, False])
def test_a_cancelled_download_can_be_tried_again(shelf, dispatcher, *, keeps_part):
    begin(shelf, dispatcher)
    services.cancel_downloads(Download.objects.all(), keeps_part=keeps_part)
    assert_soon(dispatcher, lambda: not list_children())
    dispatcher._swept_at = 0.0
    dispatcher.look()

    services.retry_downloads(Download.objects.all())
    let_go_on(shelf, dispatcher)

    assert (shelf.videos[0].requests[1] != "") == keeps_part


def test_a_cancelled_download_that_is_queued_again_goes_on(shelf, dispatcher):
    old = begin(shelf, dispatcher)
    services.cancel_downloads(Download.objects.all(), keeps_part=True)
    assert_soon(dispatcher, lambda: not list_children())
    came = get_part(shelf, old).stat().st_size

    [again] = shelf.queue()
    let_go_on(shelf, dispatcher)

    assert again.pk == old.pk
    assert shelf.videos[0].requests == ["", f"bytes={came}-"]


@pytest.mark.parametrize(
    "hold",
    [
        lambda: services.stop_queue(by="tests"),
        lambda: services.pause_queue(by="tests", minutes=5),
    ],
)
def test_a_stopped_queue_holds_what_runs(shelf, dispatcher, hold):
    download = begin(shelf, dispatcher)

    hold()
    assert_soon(dispatcher, lambda: not list_children())
    download.refresh_from_db()
    held = download.state
    services.start_queue(by="tests")
    let_go_on(shelf, dispatcher)

    assert held == State.QUEUED
    assert shelf.videos[0].requests[1].startswith("bytes=")


def test_what_a_worker_gives_back_another_one_takes_up(shelf, dispatcher):
    download = begin(shelf, dispatcher)

    began = time.monotonic()
    dispatcher.give_back()
    took = time.monotonic() - began

    download.refresh_from_db()
    assert (download.state, download.lease, took < 2) == (State.QUEUED, "", True)
    assert list_children() == []
    other = Dispatcher()
    let_go_on(shelf, other)
    assert shelf.videos[0].requests[1].startswith("bytes=")


@pytest.mark.fault
def test_a_killed_child_is_taken_up_again(shelf, dispatcher):
    download = begin(shelf, dispatcher)

    [child] = list_children()
    os.kill(child, signal.SIGKILL)
    let_go_on(shelf, dispatcher)

    download.refresh_from_db()
    assert (download.state, download.attempts) == (State.DONE, 0)
    assert shelf.videos[0].requests[1].startswith("bytes=")


def test_a_series_that_is_deleted_ends_its_download(shelf, dispatcher):
    begin(shelf, dispatcher)

    shelf.series.delete()

    assert_soon(dispatcher, lambda: not list_children())
    assert not Download.objects.exists()
    assert shelf.list_files() == []


def test_a_forced_download_starts_beside_what_is_full(shelf, dispatcher):
    Queue.objects.update(concurrency=1)
    begin(shelf, dispatcher)
    shelf.add()
    [second] = shelf.queue(shelf.episodes[1])

    services.force_downloads(Download.objects.filter(pk=second.pk))
    work(dispatcher, until=lambda: len(shelf.list_files()) == 1, timeout_s=10)

    assert shelf.list_files() == [
        "Night Show (2013)/Season 01/Night Show - S01E02 - Part 2.mkv"
    ]


def test_fewer_downloads_at_once_give_the_last_one_back(shelf, dispatcher):
    for _ in range(2):
        shelf.add(SIZE, video={"bytes_per_s": SLOW})
    first, second = shelf.queue()
    work(dispatcher, until=lambda: has_come(shelf, second, 1))

    services.set_limits(concurrency=1, limit_kib_per_s=0)
    assert_soon(dispatcher, lambda: Download.objects.running().count() < 2)

    states = dict(Download.objects.values_list("pk", "state"))
    assert states == {first.pk: State.ACTIVE, second.pk: State.QUEUED}
    assert len(list_children()) == 1


def test_the_limit_of_all_together_is_shared(shelf, dispatcher):
    services.set_limits(concurrency=2, limit_kib_per_s=400)
    shelf.add(400_000)
    shelf.add(400_000)
    shelf.queue()

    began = time.monotonic()
    work(dispatcher, until=has_ended)

    # 800 kB at 400 KiB a second; what is left over when one has ended speeds up the other.
    assert 1.3 < time.monotonic() - began < 6


def test_a_limit_that_changes_takes_effect_on_what_runs(shelf, dispatcher):
    services.set_limits(concurrency=2, limit_kib_per_s=20)
    shelf.add(SIZE)
    [download] = shelf.queue()
    work(dispatcher, until=lambda: has_come(shelf, download, 1))

    services.set_limits(concurrency=2, limit_kib_per_s=0)

    # By the first limit it would take 25 s.
    work(dispatcher, until=has_ended, timeout_s=8)
