"""An episode that is queued again goes on where its last download came to, unless it would be another file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from aniworld_site.downloads import transitions
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.signals import (
    download_changed,
    downloads_added,
    many_changed,
)
from aniworld_site.downloads.transitions import Wanted, open_downloads, opening
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import FileOperation
from tests.downloads.factories import make_listed, make_offer
from tests.factories import make_episode, make_root

pytestmark = pytest.mark.django_db

State = Download.State


def make_wanted() -> Wanted:
    episode = make_episode()
    offer = make_offer(make_listed(), episode=episode)
    return Wanted(episode=episode, offer=offer, root=make_root())


def make_ended(wanted: Wanted, state: str = "cancelled", **fields: Any) -> Download:
    fields.setdefault("finished_at", timezone.now())
    fields.setdefault("offer", wanted.offer)
    fields.setdefault("root", wanted.root)
    return Download.objects.create(
        episode=wanted.episode,
        source=wanted.offer.listed.source,
        state=state,
        **fields,
    )


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_what_came_is_gone_on_with(state: str):
    wanted = make_wanted()
    old = make_ended(
        wanted,
        state,
        bytes_done=60,
        size_bytes=100,
        attempts=6,
        reason="It broke.",
        drops_part=True,
    )

    [download] = open_downloads([wanted], by="me", is_forced=True)

    saved = Download.objects.get()
    assert (download.pk, download.state) == (old.pk, State.QUEUED)
    assert (saved.pk, saved.state, saved.bytes_done) == (old.pk, State.QUEUED, 60)
    assert (saved.attempts, saved.reason, saved.drops_part) == (0, "", False)
    assert (saved.requested_by, saved.is_forced) == ("me", True)
    assert saved.finished_at is None
    assert saved.added_at > old.added_at


def test_it_comes_to_the_place_of_what_is_queued_now():
    first, other = make_wanted(), make_wanted()
    make_ended(first)
    [queued] = open_downloads([other], by="me")

    [revived] = open_downloads([first], by="me")

    assert list(Download.objects.live()) == [queued, revived]


def test_it_is_announced_as_one_that_is_back():
    old = make_ended(wanted := make_wanted())
    told: list[tuple[int, str, str]] = []

    def note(download, was, **_kwargs):
        told.append((download.pk, was, download.state))

    def note_new(downloads, **_kwargs):
        told.extend((each.pk, "", "new") for each in downloads)

    download_changed.connect(note)
    downloads_added.connect(note_new)
    try:
        open_downloads([wanted], by="me")
    finally:
        download_changed.disconnect(note)
        downloads_added.disconnect(note_new)

    assert told == [(old.pk, "cancelled", "queued")]


def test_of_many_each_is_not_announced(monkeypatch):
    monkeypatch.setattr(opening, "TOLD_ONE_BY_ONE", 1)
    wanted = [make_wanted(), make_wanted()]
    for each in wanted:
        make_ended(each)
    told: list[str] = []

    def note(**_kwargs):
        told.append("one")

    def note_many(**_kwargs):
        told.append("many")

    download_changed.connect(note)
    many_changed.connect(note_many)
    try:
        open_downloads(wanted, by="me")
    finally:
        download_changed.disconnect(note)
        many_changed.disconnect(note_many)

    assert told == ["many"]


@pytest.mark.parametrize("what", ["offer", "root", "no root"])
def test_another_file_is_another_download(what: str):
    wanted = make_wanted()
    others: dict[str, dict[str, Any]] = {
        "offer": {"offer": make_offer(make_listed(), episode=wanted.episode)},
        "root": {"root": make_root()},
        "no root": {"root": None},
    }
    old = make_ended(wanted, bytes_done=60, **others[what])

    [download] = open_downloads([wanted], by="me")

    old.refresh_from_db()
    assert (old.state, download.pk == old.pk) == (State.CANCELLED, False)
    assert download.bytes_done == 0


def test_what_was_fetched_since_is_fetched_anew():
    wanted = make_wanted()
    old = make_ended(wanted)
    done = make_ended(wanted, "done")

    [download] = open_downloads([wanted], by="me")

    assert download.pk not in (old.pk, done.pk)


def test_of_several_the_last_goes_on():
    wanted = make_wanted()
    later = make_ended(wanted)
    make_ended(wanted, finished_at=timezone.now() - timedelta(hours=1))

    [download] = open_downloads([wanted], by="me")

    assert download.pk == later.pk


@pytest.mark.parametrize(("state", "is_same"), [("planned", True), ("done", False)])
def test_what_it_brought_into_the_library_stays_its_own(state: str, *, is_same: bool):
    wanted = make_wanted()
    operation = FileOperation.objects.create(
        kind=FileOperation.Kind.IMPORT,
        root=wanted.root,
        state=state,
        size_bytes=1,
        inode=1,
    )
    old = make_ended(wanted, operation=operation)

    [download] = open_downloads([wanted], by="me")

    assert (download.pk == old.pk) == is_same


def test_what_was_tried_again_meanwhile_is_left_alone():
    wanted = make_wanted()
    old = make_ended(wanted)
    transitions.move(Download.objects.get(), transitions.RETRY)

    assert open_downloads([wanted], by="me") == []
    assert Download.objects.get() == old


@pytest.mark.django_db(transaction=True)
def test_of_all_who_want_it_back_at_once_one_has_it():
    old = make_ended(wanted := make_wanted())
    begin = threading.Barrier(4)
    did: list[str] = []

    def want(how: Callable[[], object]) -> None:
        try:
            begin.wait(10)
            did.append("moved" if how() != [] else "left alone")
        except DomainError as error:
            did.append(str(error))
        finally:
            connection.close()

    def open_it() -> list[Download]:
        return open_downloads([wanted], by="me")

    def try_again() -> None:
        transitions.move(old, transitions.RETRY)

    threads = [
        threading.Thread(target=want, args=[how]) for how in (open_it, try_again) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    saved = Download.objects.get()
    assert (saved.pk, saved.state) == (old.pk, State.QUEUED)
    assert (len(did), did.count("moved")) == (4, 1)


def test_it_is_opened_once():
    make_ended(wanted := make_wanted())

    first = open_downloads([wanted], by="me")
    second = open_downloads([wanted], by="me")

    assert (len(first), second) == (1, [])
