"""What is taken up next, within all limits, and by one process only."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from aniworld_site.downloads import transitions
from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.downloads.signals import download_changed
from aniworld_site.downloads.transitions import Room
from aniworld_site.downloads.transitions.claiming import FORCED_AT_ONCE, GUESSED_BYTES
from aniworld_site.library.models import RootFolder
from tests.downloads.factories import make_source
from tests.factories import make_episode, make_root, make_season

State = Download.State
MIB = 1 << 20


class Lab:
    """A queue, one source and one root folder, whose disk has what is said."""

    def __init__(self, **fields: Any) -> None:
        Queue.objects.update_or_create(pk=1, defaults={"floor_mib": 0, **fields})
        self.source = make_source(concurrency=16)
        self.root = make_root()
        self.season = make_season()
        self.free = {self.root.pk: Room(device=1, free_bytes=1000 * MIB)}

    def add(self, number: int = 1, **fields: Any) -> list[Download]:
        last = Download.objects.count()
        return [
            Download.objects.create(
                episode=make_episode(self.season),
                position=last + each,
                **{
                    "source": self.source,
                    "root": self.root,
                    "size_bytes": MIB,
                    **fields,
                },
            )
            for each in range(number)
        ]

    def claim(self) -> Download | None:
        claim = transitions.claim_next(self.free)
        return claim.download if claim else None

    def claim_all(self) -> list[int]:
        return [download.pk for download in iter(self.claim, None)]

    def change(self, **fields: Any) -> None:
        Source.objects.filter(pk=self.source.pk).update(**fields)


@pytest.fixture
def lab(db) -> Lab:
    return Lab(concurrency=3)


def soon() -> Any:
    # Said when the tests are collected, which may be long before they run.
    return timezone.now() + timedelta(days=1)


def test_what_is_claimed_is_held_and_first_in_order(lab: Lab):
    first, _second = lab.add(2, attempts=1)

    claimed = lab.claim()

    assert claimed == first
    assert claimed is not None
    assert transitions.is_held(claimed)
    saved = Download.objects.get(pk=first.pk)
    assert (saved.state, saved.starts, len(saved.lease)) == (State.ACTIVE, 1, 32)


def test_no_more_are_claimed_than_may_run_at_once(lab: Lab):
    downloads = lab.add(5)

    assert lab.claim_all() == [download.pk for download in downloads[:3]]


def test_no_more_of_a_source_are_claimed_than_it_may_have(lab: Lab):
    lab.change(concurrency=1)
    first, _second = lab.add(2)
    [other] = lab.add(source=make_source())

    assert lab.claim_all() == [first.pk, other.pk]


def test_a_source_with_a_delay_starts_one_at_a_time(lab: Lab):
    lab.change(delay_s=30)
    first, second = lab.add(2)

    early = lab.claim_all()
    lab.change(next_start_at=timezone.now())

    assert (early, lab.claim_all()) == ([first.pk], [second.pk])


@pytest.mark.parametrize(
    "fields", [{"rests_until": soon()}, {"is_enabled": False}, {"concurrency": 0}]
)
def test_a_source_that_rests_or_is_off_starts_nothing(lab: Lab, fields):
    lab.change(**fields)
    lab.add()

    assert lab.claim() is None
    assert Download.objects.get().state == State.QUEUED


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_queue_that_does_not_run_starts_nothing(lab: Lab, state: str):
    lab.add(is_forced=True)
    Queue.objects.update(state=state)

    assert not transitions.is_anything_claimable()
    assert lab.claim() is None


def test_a_forced_one_starts_whatever_the_limits_say(lab: Lab):
    Queue.objects.update(concurrency=1)
    lab.change(concurrency=1, rests_until=soon(), next_start_at=soon())
    lab.add(state=State.ACTIVE, lease="another", heartbeat_at=timezone.now())
    _waits, forced = lab.add(), lab.add(is_forced=True)

    assert lab.claim_all() == [forced[0].pk]


def test_only_so_many_are_forced_at_once(lab: Lab):
    lab.change(concurrency=20)
    lab.add(FORCED_AT_ONCE + 2, is_forced=True)
    lab.add(1)

    claimed = Download.objects.filter(pk__in=lab.claim_all())

    assert claimed.filter(is_forced=True).count() == FORCED_AT_ONCE
    assert claimed.filter(is_forced=False).count() == 1


def test_a_forced_one_is_first(lab: Lab):
    lab.add(3)
    [forced] = lab.add(is_forced=True)

    assert lab.claim() == forced


def test_what_this_process_cannot_run_now_is_left_to_others(lab: Lab):
    first, second = lab.add(2)

    claim = transitions.claim_next(lab.free, busy={first.pk})

    assert claim is not None
    assert claim.download == second


@pytest.mark.parametrize("fields", [{"due_at": soon()}, {"state": State.PAUSED}])
def test_what_is_not_due_is_left_alone(lab: Lab, fields):
    lab.add(**fields)

    assert not transitions.is_anything_claimable()
    assert lab.claim() is None


def test_what_waits_goes_on_when_it_is_due(lab: Lab):
    [download] = lab.add(
        state=State.WAITING, wait="host", reason="Later.", due_at=timezone.now()
    )

    claimed = lab.claim()

    assert claimed == download
    download.refresh_from_db()
    assert (download.wait, download.reason) == ("", "")


def test_an_offline_root_takes_nothing(lab: Lab):
    RootFolder.objects.update(is_online=False)
    lab.add()

    assert lab.claim() is None
    assert Download.objects.get().state == State.QUEUED


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_root_that_is_not_there_is_waited_for(lab: Lab, *, is_removed: bool):
    [download] = lab.add(root=None) if is_removed else lab.add()
    lab.free.clear()

    assert lab.claim() is None

    download.refresh_from_db()
    assert (download.state, download.wait) == (State.WAITING, "root")
    assert "Its folder is not there" in download.reason


def test_a_wait_that_no_clock_meant_is_over(lab: Lab):
    """Written while the clock was years ahead."""
    far = timezone.now() + timedelta(days=400)
    lab.change(rests_until=far, next_start_at=far, delay_s=10)
    [download] = lab.add(state=State.WAITING, wait="host", due_at=far)

    assert lab.claim() == download


# Room


def test_what_has_no_room_waits_with_a_sentence_and_others_go_first(lab: Lab):
    large, small = lab.add(size_bytes=2000 * MIB), lab.add(size_bytes=100 * MIB)

    assert lab.claim_all() == [small[0].pk]

    large[0].refresh_from_db()
    assert (large[0].state, large[0].wait) == (State.WAITING, "disk")
    assert large[0].reason == (
        f"Needs 2.0 GB on {lab.root}, which has 1000.0 MB free; "
        "0 bytes of it are reserved or stay free. It goes on by itself."
    )


def test_what_had_no_room_goes_on_by_itself(lab: Lab):
    [download] = lab.add(size_bytes=2000 * MIB)
    lab.claim()
    lab.free[lab.root.pk] = Room(device=1, free_bytes=3000 * MIB)

    early = lab.claim()
    Download.objects.update(due_at=timezone.now())

    assert (early, lab.claim()) == (None, download)


def test_what_runs_has_its_room_reserved(lab: Lab):
    lab.add(size_bytes=600 * MIB)
    [second] = lab.add(size_bytes=600 * MIB)

    assert len(lab.claim_all()) == 1

    second.refresh_from_db()
    assert "600.0 MB of it are reserved" in second.reason


def test_what_came_already_needs_no_room(lab: Lab):
    lab.add(size_bytes=2000 * MIB, bytes_done=1500 * MIB)

    assert lab.claim() is not None


def test_roots_on_one_disk_share_its_room(lab: Lab):
    other = make_root()
    lab.free[other.pk] = lab.free[lab.root.pk]
    [first] = lab.add(size_bytes=600 * MIB)
    lab.add(size_bytes=600 * MIB, root=other)

    assert lab.claim_all() == [first.pk]


def test_what_is_claimed_may_take_what_others_have_not_reserved(lab: Lab):
    lab.add(size_bytes=600 * MIB)
    lab.add(size_bytes=100 * MIB, bytes_done=50 * MIB)

    first, second = (transitions.claim_next(lab.free) for _ in range(2))

    assert first is not None
    assert first.most_bytes == 1000 * MIB
    assert second is not None
    assert second.most_bytes == (400 + 50) * MIB


def test_one_of_unknown_size_waits_beside_others_where_there_is_not_plenty(lab: Lab):
    lab.add(size_bytes=None)
    [second] = lab.add(size_bytes=None)

    assert len(lab.claim_all()) == 1

    second.refresh_from_db()
    assert (second.state, second.wait) == (State.WAITING, "disk")
    assert second.reason.startswith("Nobody says how large it is")
    lab.free[lab.root.pk] = Room(device=1, free_bytes=2 * GUESSED_BYTES)
    Download.objects.update(due_at=None)
    assert lab.claim() == second


def test_roots_on_two_disks_do_not(lab: Lab):
    other = make_root()
    lab.free[other.pk] = Room(device=2, free_bytes=1000 * MIB)
    lab.add(size_bytes=600 * MIB)
    lab.add(size_bytes=600 * MIB, root=other)

    assert len(lab.claim_all()) == 2


def test_some_room_always_stays_free(lab: Lab):
    Queue.objects.update(floor_mib=500)
    lab.add(size_bytes=600 * MIB)

    assert lab.claim() is None


def test_many_without_room_do_not_keep_a_small_one_from_starting(lab: Lab):
    lab.add(60, size_bytes=2000 * MIB)
    [small] = lab.add(size_bytes=1)

    claimed = [lab.claim(), lab.claim()]

    assert small in claimed


def test_what_waits_for_room_is_announced_once(lab: Lab):
    lab.add(size_bytes=2000 * MIB)
    told: list[str] = []

    def note(download, **_kwargs):
        told.append(download.state)

    download_changed.connect(note)
    try:
        lab.claim()
        Download.objects.update(due_at=None)
        lab.claim()
    finally:
        download_changed.disconnect(note)

    assert told == [State.WAITING]


# Two at once


@pytest.mark.django_db(transaction=True)
def test_processes_that_claim_at_once_never_get_the_same():
    lab = Lab(concurrency=8)
    lab.add(20)
    start, claimed = threading.Barrier(4), []

    def claim() -> None:
        try:
            start.wait(10)
            while (download := lab.claim()) is not None:
                claimed.append(download.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(claimed) == len(set(claimed)) == 8
    assert Download.objects.running().count() == 8


def test_one_waits_for_a_full_disk_and_the_others_for_it(lab: Lab):
    downloads = lab.add(20, size_bytes=10**15)

    for _ in range(5):
        assert lab.claim() is None

    waiting = Download.objects.filter(state=State.WAITING)
    assert list(waiting) == downloads[:1]
    assert Download.objects.filter(state=State.QUEUED).count() == 19


def test_what_is_paused_while_it_is_looked_at_stays_paused(lab: Lab, monkeypatch):
    [download] = lab.add()
    choose = secrets.token_hex

    def pause_meanwhile(length: int) -> str:
        Download.objects.filter(pk=download.pk).update(state=State.PAUSED)
        return choose(length)

    # What a person does on PostgreSQL between the look and the write.
    monkeypatch.setattr(secrets, "token_hex", pause_meanwhile)

    assert lab.claim() is None
    download.refresh_from_db()
    assert (download.state, download.starts) == (State.PAUSED, 0)


def test_one_of_unknown_size_waits_where_there_is_no_room_at_all(lab: Lab):
    [download] = lab.add(size_bytes=None)
    lab.free[lab.root.pk] = Room(device=1, free_bytes=0)

    assert lab.claim() is None
    download.refresh_from_db()
    assert (download.state, download.wait) == (State.WAITING, "disk")
