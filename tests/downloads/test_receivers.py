"""What is said in which room when something happens to a download."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from aniworld_site.downloads import services
from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.refreshing import refresh_source
from aniworld_site.downloads.services.steering import PORTION
from aniworld_site.downloads.signals import download_changed
from realtime.history import get_positions_of
from realtime.publishing import Publication, flush
from realtime.rooms import get_room
from realtime.testing import published
from tests.downloads.factories import catalogue, make_ended, make_source
from tests.downloads.queues import work_all
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def types(publications: list[Publication], room: str) -> list[str]:
    return [each.message.type for each in publications if each.room == room]


def find(publications: list[Publication], kind: str) -> list[Any]:
    return [each.message for each in publications if each.message.type == kind]


def test_a_download_is_told_from_its_wish_to_its_file(shelf):
    shelf.add(size=400_000, video={"bytes_per_s": 600_000})
    dispatcher = Dispatcher()

    with published() as publications:
        shelf.queue()
        work_all(dispatcher)

    said = types(publications, "downloads")
    assert said[0] == "download_added"
    assert [kind for kind in said if kind != "download_updated"][
        -1
    ] == "download_complete"
    [complete] = find(publications, "download_complete")
    assert complete.key == "night-show"
    assert complete.file_path == shelf.list_files()[0]
    progress = find(publications, "download_progress")
    assert progress
    assert all(0 <= each.percent <= 100 for each in progress)
    assert progress[-1].speed_mbps > 0
    assert find(publications, "series_updated")[-1].have_count == 1
    last = find(publications, "queue_status")[-1]
    assert (last.active, last.pending, last.completed) == (0, 0, 1)


def test_progress_is_told_at_most_five_times_a_second(shelf):
    shelf.add(size=600_000, video={"bytes_per_s": 300_000})
    dispatcher = Dispatcher()

    with published() as publications:
        shelf.queue()
        work_all(dispatcher)

    # Two seconds of bytes, with what comes at the beginning and the end.
    assert 2 <= len(find(publications, "download_progress")) <= 14


def test_a_failure_is_told_with_its_sentence(shelf):
    shelf.add(video={"refuses": [(404, {})]})
    dispatcher = Dispatcher()

    with published() as publications:
        shelf.queue()
        work_all(dispatcher)

    [failed] = find(publications, "download_failed")
    assert "has nothing at this address" in failed.error_message
    assert find(publications, "queue_status")[-1].failed == 1


def test_what_a_person_does_is_told(shelf):
    shelf.add()
    [download] = shelf.queue()
    chosen = Download.objects.filter(pk=download.pk)

    with published() as publications:
        services.pause_downloads(chosen)
        services.resume_downloads(chosen)
        services.cancel_downloads(chosen, keeps_part=False)
        services.remove_downloads(chosen)

    updated = [each.status for each in find(publications, "download_updated")]
    assert updated == ["paused", "queued", "cancelled"]
    assert [each.paused for each in find(publications, "queue_status")] == [1, 0, 0, 0]
    assert len(find(publications, "download_removed")) >= 1


def test_more_bytes_of_one_that_was_cancelled_are_told_as_no_second_cancelling():
    [download] = make_ended(state="cancelled")

    with published() as publications:
        download_changed.send(Download, download=download, was="cancelled")

    assert types(publications, "downloads") == ["download_updated"]


def test_few_that_leave_the_list_are_named_each():
    make_ended(3)

    with published() as publications:
        services.remove_downloads(Download.objects.all())

    assert types(publications, "downloads") == ["download_removed"] * 3
    assert types(publications, "queue") == ["download_removed"] * 3 + ["queue_status"]


def test_many_that_leave_the_list_are_told_once(valkey):
    make_ended(PORTION + 1)
    rooms = ("downloads", "queue")
    before = get_positions_of(rooms, back_ms=0, timeout_s=5)

    with published() as publications:
        services.remove_downloads(Download.objects.all())
        flush(timeout_s=5)

    after = get_positions_of(rooms, back_ms=0, timeout_s=5)
    assert [each.message.type for each in publications] == ["queue_status"]
    assert [each.epoch for each in before] != [each.epoch for each in after]


def test_many_that_are_steered_are_told_once():
    make_ended(PORTION + 1, state="queued")

    with published() as publications:
        services.pause_downloads(Download.objects.all())

    [told] = find(publications, "queue_status")
    assert told.paused == PORTION + 1
    assert len(publications) == 1


def test_a_retried_download_is_added_again(shelf):
    shelf.add()
    [download] = shelf.queue()
    chosen = Download.objects.filter(pk=download.pk)
    services.cancel_downloads(chosen, keeps_part=True)

    with published() as publications:
        services.retry_downloads(chosen)

    assert find(publications, "download_added")[0].download_id == download.pk


@pytest.mark.parametrize(
    ("do", "kinds"),
    [
        (services.stop_queue, ["queue_stopped"]),
        (services.start_queue, ["queue_started"]),
        (services.pause_queue, ["queue_paused"]),
    ],
)
def test_what_happens_to_the_queue_is_told_with_who_did_it(shelf, do, kinds):
    shelf.add()
    shelf.queue()

    with published() as publications:
        do(by="keeper")

    assert types(publications, "queue") == [*kinds, "queue_status"]
    told = find(publications, kinds[0])[0]
    assert (told.by, told.pending) == ("keeper", 1)


def test_resuming_is_told(shelf):
    services.pause_queue(by="keeper")

    with published() as publications:
        services.resume_queue(by="keeper")

    assert types(publications, "queue") == ["queue_resumed", "queue_status"]


def test_another_order_is_told(shelf):
    for _ in range(2):
        shelf.add()
    _first, second = shelf.queue()

    with published() as publications:
        services.move_downloads(Download.objects.filter(pk=second.pk), "top")

    assert types(publications, "queue") == ["queue_reordered"]


def test_bulk_is_one_status(shelf):
    for _ in range(5):
        shelf.add()

    with published() as publications:
        shelf.queue()

    assert types(publications, "queue").count("queue_status") == 1
    positions = [each.position for each in find(publications, "download_added")]
    assert sorted(set(positions)) == [1, 2, 3, 4, 5]
    assert Queue.objects.count() == 1


def test_what_a_killed_worker_did_not_tell_is_told_by_the_next(shelf):
    shelf.add()
    shelf.queue()
    dispatcher = Dispatcher()
    work_all(dispatcher)
    following = Dispatcher()

    with published() as publications:
        following.start()
        following.stop()

    assert find(publications, "series_updated")[-1].have_count == 1
    assert find(publications, "queue_status")[-1].completed == 1


def test_waiting_for_room_is_no_failure(shelf):
    shelf.add()
    [download] = shelf.queue()
    download.state, download.wait, download.reason = "waiting", "disk", "No room."

    with published() as publications:
        download_changed.send(Download, download=download, was="queued")

    assert find(publications, "download_failed") == []
    assert find(publications, "download_updated")[0].reason == "No room."


def test_a_try_that_came_to_nothing_is_told_though_it_is_tried_again(shelf):
    shelf.add()
    [download] = shelf.queue()
    download.state, download.wait, download.reason = "waiting", "host", "It is away."

    with published() as publications:
        download_changed.send(Download, download=download, was="active")

    assert find(publications, "download_failed")[0].error_message == "It is away."


def test_reading_a_source_is_told_with_how_it_went(source):
    row = make_source(url=source.put("/c.json", catalogue()))

    with published() as publications:
        refresh_source(row)
        source.put("/c.json", b"", status=404)
        refresh_source(row)

    said = find(publications, "source_updated")
    assert types(publications, "sources") == ["source_updated"] * 4
    assert {(each.source_id, each.source) for each in said} == {(row.pk, row.name)}
    assert [each.status for each in said] == ["reading", "read", "reading", "failed"]
    assert [bool(each.reason) for each in said] == [False, False, False, True]


def test_sources_are_told_of_to_who_may_look_at_them():
    assert get_room("sources").may_join(make_user(["downloads.view_source"]))
    assert not get_room("sources").may_join(make_user())
    assert not get_room("sources").may_join(AnonymousUser())
