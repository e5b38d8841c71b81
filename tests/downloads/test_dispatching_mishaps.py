"""What goes wrong on this machine, or is taken away while a download runs: nothing fails for good that could go on."""

from __future__ import annotations

import errno
import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aniworld_site.downloads import importing, outcomes, services, transitions
from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.heartbeats import beating
from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.library.models import FileOperation, RootFolder
from aniworld_site.library.services import remove_root
from aniworld_site.library.undoing import undo
from tests.downloads.queues import Shelf, claim, has_ended, work
from tests.downloads.test_dispatching_steering import begin, list_children
from tests.factories import make_root
from tests.running import until

pytestmark = pytest.mark.django_db(transaction=True)

State = Download.State


def let_all_go_on(dispatcher: Dispatcher) -> None:
    Download.objects.update(due_at=None)
    work(dispatcher, until=has_ended)
    dispatcher.give_back()


@pytest.mark.fault
def test_a_machine_that_starts_no_process_drains_no_queue(
    shelf, dispatcher, monkeypatch
):
    for _ in range(3):
        shelf.add()
    shelf.queue()

    def refuse(*_arguments, **_options):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        work(dispatcher, until=lambda: not transitions.is_anything_claimable())
        dispatcher.give_back()
    waiting = list(Download.objects.values_list("state", "wait", "attempts"))
    [reason] = set(Download.objects.values_list("reason", flat=True))
    let_all_go_on(dispatcher)

    assert waiting == [(State.WAITING, "machine", 0)] * 3
    assert "Resource temporarily unavailable" in reason
    assert len(shelf.list_files()) == 3


@pytest.mark.fault
def test_a_fault_of_ours_is_tried_again_and_given_up_in_the_end(
    shelf, dispatcher, monkeypatch
):
    Source.objects.update(retries=1)
    shelf.add()
    [download] = shelf.queue()

    def break_off(*_arguments, **_options):
        raise ValueError("a fault")

    monkeypatch.setattr(subprocess, "Popen", break_off)
    seen = []
    for _ in range(2):
        Download.objects.update(due_at=None)
        work(dispatcher, until=lambda: not transitions.is_anything_claimable())
        dispatcher.give_back()
        download.refresh_from_db()
        seen.append((download.state, download.attempts))

    assert seen == [(State.WAITING, 1), (State.FAILED, 2)]
    assert "the log has the details" in download.reason
    # Nothing that its source could help.
    assert Source.objects.get().download_failures == 0


def test_a_root_folder_that_is_removed_meanwhile_gives_way_to_another(
    shelf, dispatcher, tmp_path
):
    download = begin(shelf, dispatcher)
    other = tmp_path / "other"
    other.mkdir()
    make_root(path=str(other))

    remove_root(RootFolder.objects.get(pk=shelf.root.pk))
    shelf.videos[0].bytes_per_s = 0
    work(dispatcher, until=lambda: not list_children())
    dispatcher.give_back()
    dispatcher._sweep()
    let_all_go_on(dispatcher)

    download.refresh_from_db()
    assert download.state == State.DONE
    assert [path.suffix for path in other.rglob("*.mkv")] == [".mkv"]


def test_a_source_that_is_removed_meanwhile_ends_its_download_with_a_sentence(
    shelf, dispatcher
):
    download = begin(shelf, dispatcher)
    Source.objects.all().delete()

    outcomes.settle_failure(
        Download.objects.get(), {"error": "It was cut.", "trouble": "passing"}
    )

    download.refresh_from_db()
    assert download.state == State.FAILED
    assert "It was cut." in download.reason


def test_one_that_begins_anew_each_time_is_given_up(shelf):
    shelf.add()
    [download] = shelf.queue()

    tries = 0
    while download.state != State.FAILED:
        tries += 1
        Download.objects.update(state=State.ACTIVE, lease="mine")
        download.refresh_from_db()
        # Never further than before, though further than the last time.
        download.bytes_done = 40_000 if tries % 2 else 30_000
        outcomes.settle_failure(download, {"error": "Cut.", "trouble": "passing"})
        assert tries < 20

    assert download.attempts == Source.objects.get().retries + 1


def plan_and_die(shelf: Shelf) -> tuple[Download, FileOperation]:
    """Have a worker killed right after it wrote down that it brings a file in."""
    download = claim().download
    part = importing.get_part_path(download)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(shelf.videos[0].content)
    download.extension, download.bytes_done = ".mkv", part.stat().st_size
    operation = importing._plan(download)
    long_ago = timezone.now() - timedelta(seconds=30)
    Download.objects.update(heartbeat_at=long_ago)
    assert transitions.release_stale() == 1
    return download, operation


def test_what_was_written_down_is_done_by_whoever_takes_it_up(shelf, dispatcher):
    shelf.add()
    shelf.queue()
    _download, operation = plan_and_die(shelf)

    work(dispatcher, until=has_ended)

    operation.refresh_from_db()
    assert operation.state == FileOperation.State.DONE
    assert len(shelf.list_files()) == 1
    assert shelf.server.requests == []


@pytest.mark.parametrize("keeps_part", [True, False])
def test_what_is_cancelled_does_not_come_into_the_library(
    shelf, dispatcher, *, keeps_part: bool
):
    shelf.add()
    shelf.queue()
    download, operation = plan_and_die(shelf)

    services.cancel_downloads(Download.objects.all(), keeps_part=keeps_part)
    dispatcher._sweep()

    operation.refresh_from_db()
    assert (operation.state, operation.error) == (
        FileOperation.State.FAILED,
        "Its download was cancelled.",
    )
    assert shelf.list_files() == []
    assert importing.get_part_path(download).exists() == keeps_part
    services.retry_downloads(Download.objects.all())
    let_all_go_on(dispatcher)
    assert len(shelf.list_files()) == 1


def test_what_was_in_the_library_when_it_was_cancelled_is_in_the_history(
    shelf, dispatcher
):
    episode = shelf.add()
    shelf.queue()
    _download, operation = plan_and_die(shelf)
    target = Path(operation.target)
    target.parent.mkdir(parents=True)
    Path(operation.source).rename(target)

    services.cancel_downloads(Download.objects.all(), keeps_part=False)
    dispatcher._sweep()

    operation.refresh_from_db()
    episode.refresh_from_db()
    assert operation.state == FileOperation.State.DONE
    assert (episode.has_file, len(shelf.list_files())) == (True, 1)


def test_what_was_undone_is_fetched_again_when_it_is_tried_again(shelf, dispatcher):
    shelf.add()
    [download] = shelf.queue()
    work(dispatcher, until=has_ended)
    dispatcher.give_back()
    # As one that was cancelled while a sweeper brought it in.
    Download.objects.update(state=State.CANCELLED)
    undo(FileOperation.objects.get(), by="tests")

    services.retry_downloads(Download.objects.all())
    let_all_go_on(dispatcher)

    download.refresh_from_db()
    assert download.state == State.DONE
    assert len(shelf.list_files()) == 1
    assert len(shelf.server.requests) == 2


def test_a_lease_is_kept_while_a_file_is_brought_in(shelf, monkeypatch):
    """Copying it to another disk takes minutes."""
    monkeypatch.setattr("aniworld_site.downloads.heartbeats.BEAT_S", 0.02)
    shelf.add()
    shelf.queue()
    claimed = claim()
    long_ago = timezone.now() - timedelta(seconds=19)
    Download.objects.update(heartbeat_at=long_ago)

    with beating(partial(transitions.beat, claimed.download)):
        until(lambda: Download.objects.filter(heartbeat_at__gt=long_ago).exists())

    assert transitions.release_stale() == 0


def test_saving_the_settings_says_nothing_of_the_queues_state(shelf, admin_client):
    """Somebody may stop it between the look and the write."""
    form = {"floor_mib": "5", "template": "{series}/{episode}", "writes_nfo": ""}

    with CaptureQueriesContext(connection) as queries:
        admin_client.post("/queue/settings/", form)

    written = [each["sql"] for each in queries if "UPDATE" in each["sql"]]
    ours = [sql for sql in written if "downloads_queue" in sql]
    assert len(ours) == 1
    assert '"state"' not in ours[0]
    assert Queue.objects.get().floor_mib == 5
