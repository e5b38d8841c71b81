"""What a person may do with a download in each state, and who wins when two do something at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from aniworld_site.downloads import transitions
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.signals import download_changed
from aniworld_site.downloads.transitions import LeaseLostError
from aniworld_site.exceptions import DomainError
from tests.downloads.factories import make_source
from tests.factories import make_episode, make_root

pytestmark = pytest.mark.django_db

State = Download.State
RUNNING = {State.ACTIVE, State.VERIFYING, State.IMPORTING}


def make_download(state: str = State.QUEUED, **fields: Any) -> Download:
    if state in RUNNING:
        fields.setdefault("lease", "mine")
        fields.setdefault("heartbeat_at", timezone.now())
    if "source" not in fields:
        fields["source"] = make_source()
    if "root" not in fields:
        fields["root"] = make_root()
    if "episode" not in fields:
        fields["episode"] = make_episode()
    return Download.objects.create(state=state, **fields)


def cancel(download: Download) -> None:
    transitions.move(download, transitions.make_cancel(drops_part=False))


MOVES: dict[str, tuple[Callable[[Download], None], str, dict[str, str]]] = {
    "pause": (
        partial(transitions.move, wish=transitions.PAUSE),
        "paused",
        dict.fromkeys(("queued", "waiting", "active", "verifying"), "paused"),
    ),
    "resume": (
        partial(transitions.move, wish=transitions.RESUME),
        "resumed",
        {"paused": "queued"},
    ),
    "cancel": (
        cancel,
        "cancelled",
        dict.fromkeys(
            ("queued", "waiting", "active", "verifying", "paused"), "cancelled"
        ),
    ),
    "retry": (
        partial(transitions.move, wish=transitions.RETRY),
        "tried again",
        dict.fromkeys(("failed", "cancelled", "waiting"), "queued"),
    ),
    "force": (
        partial(transitions.move, wish=transitions.FORCE),
        "forced",
        dict.fromkeys(("queued", "waiting", "paused"), "queued"),
    ),
}


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("move", MOVES)
def test_each_move_is_allowed_or_refused_in_each_state(move: str, state: str):
    do, what, allowed = MOVES[move]
    download = make_download(state)
    told: list[tuple[str, str]] = []

    def note(download, was, **_kwargs):
        told.append((was, download.state))

    download_changed.connect(note)
    try:
        if state in allowed:
            do(download)
        else:
            sentence = f"This download is {State(state).label}: it cannot be {what}."
            with pytest.raises(DomainError, match=sentence):
                do(download)
    finally:
        download_changed.disconnect(note)

    expected = allowed.get(state, state)
    assert (download.state, told) == (
        expected,
        [(state, expected)] if state in allowed else [],
    )
    download.refresh_from_db()
    assert download.state == expected
    if state in allowed:
        assert download.lease == ""


@pytest.mark.parametrize("state", State.values)
def test_only_what_has_ended_is_removed(state: str):
    download = make_download(state)

    removed = transitions.remove([download.pk])

    has_ended = state in ("done", "failed", "cancelled")
    assert (len(removed) == 1) == has_ended
    assert Download.objects.exists() != has_ended


def test_remove_leaves_what_was_tried_again_meanwhile():
    stale = make_download(State.FAILED)
    transitions.move(Download.objects.get(), transitions.RETRY)

    removed = transitions.remove([stale.pk])

    assert (removed, Download.objects.get().state) == ([], State.QUEUED)


@pytest.mark.parametrize("move", MOVES)
def test_a_download_that_is_gone_is_refused(move: str):
    download = make_download()
    Download.objects.all().delete()

    with pytest.raises(DomainError, match="not in the list any more"):
        MOVES[move][0](download)


def test_of_two_that_do_something_at_once_the_second_sees_the_first():
    here, there = make_download(), Download.objects.get()
    transitions.move(there, transitions.make_cancel(drops_part=True))

    with pytest.raises(DomainError, match="is cancelled: it cannot be paused"):
        transitions.move(here, transitions.PAUSE)

    assert Download.objects.get().state == State.CANCELLED


def test_a_retry_begins_anew():
    download = make_download(
        State.FAILED,
        attempts=6,
        reason="It broke.",
        due_at=timezone.now() + timedelta(hours=1),
        finished_at=timezone.now(),
        drops_part=True,
    )

    transitions.move(download, transitions.RETRY)

    assert (
        download.attempts,
        download.reason,
        download.due_at,
        download.finished_at,
        download.drops_part,
    ) == (0, "", None, None, False)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_retry_is_refused_while_the_episode_is_in_the_queue_again(state: str):
    old = make_download(state)
    make_download(episode=old.episode)

    with pytest.raises(DomainError, match="Its episode is in the queue already"):
        transitions.move(old, transitions.RETRY)

    old.refresh_from_db()
    assert old.state == state


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_retry_is_refused_while_the_episodes_file_is_there(state: str):
    there = make_episode(has_file=True)
    old = make_download(state, episode=there)

    with pytest.raises(DomainError, match="Its file is there already"):
        transitions.move(old, transitions.RETRY)
    moved = transitions.move_many([old.pk], transitions.RETRY)

    old.refresh_from_db()
    assert (old.state, moved) == (state, 0)


def test_what_waits_to_fetch_another_file_is_tried_again():
    download = make_download(State.WAITING, episode=make_episode(has_file=True))

    transitions.move(download, transitions.RETRY)

    assert download.state == State.QUEUED


@pytest.mark.parametrize(
    "state", ["queued", "active", "paused", "waiting", "verifying", "importing"]
)
def test_the_database_refuses_two_live_downloads_of_an_episode(state: str):
    download = make_download(state)

    with pytest.raises(IntegrityError):
        make_download(episode=download.episode)


# While a process holds it


@pytest.mark.parametrize(
    ("write", "state"),
    [
        (transitions.begin_verifying, "verifying"),
        (transitions.finish, "done"),
        (lambda each: transitions.fail(each, "It broke."), "failed"),
        (transitions.release, "queued"),
        (
            lambda each: transitions.wait_for(
                each, Download.Wait.DISK, "Full.", until=timezone.now()
            ),
            "waiting",
        ),
    ],
)
def test_who_holds_a_download_may_write_and_nobody_else(write, state: str):
    download = make_download(State.ACTIVE)
    other = Download.objects.get()
    other.lease = "another"

    with pytest.raises(LeaseLostError):
        write(other)
    before = Download.objects.get().state
    write(download)

    assert (before, Download.objects.get().state) == (State.ACTIVE, state)


@pytest.mark.parametrize("move", [MOVES["pause"][0], cancel])
def test_a_person_takes_the_lease_away(move):
    held = make_download(State.ACTIVE)

    move(Download.objects.get())

    assert not transitions.is_held(held)
    with pytest.raises(LeaseLostError):
        transitions.beat(held)


TAKEN: dict[str, Callable[[], Any]] = {
    "pause": lambda: MOVES["pause"][0](Download.objects.get()),
    "cancel": lambda: cancel(Download.objects.get()),
    "stop": lambda: transitions.set_queue(
        Queue.State.STOPPED, by="tests", did="stopped"
    ),
}


@pytest.mark.parametrize("take", TAKEN)
def test_what_came_since_the_last_beat_is_saved_when_it_is_taken_away(take: str):
    held = make_download(State.ACTIVE, bytes_done=10)
    TAKEN[take]()
    was = Download.objects.get().state
    held.bytes_done, held.size_bytes = 50, 100
    told: list[tuple[str, str, int]] = []

    def note(download, was, **_kwargs):
        told.append((was, download.state, download.bytes_done))

    download_changed.connect(note)
    try:
        transitions.save_taken(held)
        transitions.save_taken(held)
    finally:
        download_changed.disconnect(note)

    saved = Download.objects.get()
    assert (saved.state, saved.bytes_done, saved.size_bytes) == (was, 50, 100)
    assert told == [(was, was, 50)]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.ACTIVE, "lease": "another", "starts": 2},
        {"state": State.QUEUED, "starts": 2},
        {"state": State.CANCELLED, "drops_part": True},
        {"state": State.QUEUED, "root": None},
        {"state": State.DONE},
    ],
)
def test_what_is_not_how_it_was_left_is_not_written(fields: dict[str, Any]):
    held = make_download(State.ACTIVE, bytes_done=10, starts=1)
    Download.objects.update(**{"lease": "", "bytes_done": 0, **fields})
    held.bytes_done = 50

    transitions.save_taken(held)

    assert Download.objects.get().bytes_done == 0


def test_what_was_taken_away_and_removed_is_not_written():
    held = make_download(State.ACTIVE)
    Download.objects.all().delete()

    transitions.save_taken(held)

    assert not Download.objects.exists()


def test_a_beat_saves_how_far_it_is():
    download = make_download(
        State.ACTIVE, heartbeat_at=timezone.now() - timedelta(seconds=10)
    )
    download.bytes_done, download.size_bytes = 50, 100

    transitions.beat(download)

    saved = Download.objects.get()
    assert (saved.bytes_done, saved.size_bytes, saved.percent) == (50, 100, 50.0)
    assert saved.heartbeat_at is not None
    assert saved.heartbeat_at > timezone.now() - timedelta(seconds=5)


@pytest.mark.parametrize("state", sorted(RUNNING))
def test_what_a_silent_process_held_is_given_back(state: str):
    silent = make_download(state, heartbeat_at=timezone.now() - timedelta(seconds=21))
    make_download(state, heartbeat_at=timezone.now() - timedelta(seconds=15))

    released = transitions.release_stale()

    silent.refresh_from_db()
    assert (released, silent.state, silent.lease) == (1, State.QUEUED, "")
    assert Download.objects.running().count() == 1


def test_what_beat_when_the_clock_was_ahead_is_given_back():
    ahead = timezone.now() + timedelta(hours=1)
    lost = make_download(State.ACTIVE, heartbeat_at=ahead)

    assert transitions.release_stale() == 1

    lost.refresh_from_db()
    assert lost.state == State.QUEUED


@pytest.mark.parametrize("reason", ["a\x00b", "a\ud800b", "a\x1bb"])
def test_a_reason_that_cannot_be_stored_is_cleaned(reason: str):
    download = make_download(State.ACTIVE)

    transitions.fail(download, reason)

    assert Download.objects.get().reason == "ab"


# The queue as a whole


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_a_queue_that_does_not_run_holds_what_does(state: str):
    active, importing = make_download(State.ACTIVE), make_download(State.IMPORTING)
    active.bytes_done = 10

    transitions.set_queue(Queue.State(state), by="tests", did=state)

    assert not transitions.is_held(active)
    assert transitions.is_held(importing)
    assert Download.objects.get(pk=active.pk).state == State.QUEUED


def test_a_pause_with_a_timer_runs_out():
    transitions.set_queue(
        Queue.State.PAUSED,
        by="tests",
        did="paused",
        until=timezone.now() + timedelta(minutes=1),
    )

    early = transitions.end_pause()
    Queue.objects.update(paused_until=timezone.now() - timedelta(seconds=1))

    assert (early, transitions.end_pause()) == (False, True)
    assert Queue.objects.get().state == Queue.State.RUNNING


def test_a_pause_without_a_timer_never_runs_out():
    transitions.set_queue(Queue.State.PAUSED, by="tests", did="paused")

    assert not transitions.end_pause()


def test_a_stop_is_not_undone_by_whoever_saw_the_queue_before_it():
    transitions.set_queue(Queue.State.STOPPED, by="somebody", did="stopped")

    with pytest.raises(DomainError, match="The queue is stopped: it cannot be resumed"):
        transitions.set_queue(
            Queue.State.RUNNING,
            by="system",
            did="resumed",
            only_if=Q(state=Queue.State.PAUSED),
        )

    assert Queue.objects.get().state == Queue.State.STOPPED
