"""Imports that nobody wants any more: what is in the library stays there, what is not never comes."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.journal import LOCKS, BusyError, abandon, carry_out
from aniworld_site.library.models import EpisodeFile, FileOperation
from aniworld_site.library.signals import operation_changed
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import settle_operations
from tests.library.shelves import (
    BY,
    CONTENT,
    PLACE,
    Shelf,
    put_on_another_disk,
)

pytestmark = pytest.mark.django_db

State = FileOperation.State
PART = ".aniworld/partial/1.part"
WHY = "Its download was cancelled."


class KilledError(BaseException):
    """The process ends here."""


def kill_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def die(*_arguments: object) -> None:
        raise KilledError

    monkeypatch.setattr(f"aniworld_site.library.journal.{name}", die)


def start_and_die(operation: FileOperation, name: str) -> None:
    """Carry out an operation by a process that is killed when it comes to a step of the journal."""
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, name)
        with pytest.raises(KilledError):
            carry_out(operation)


def assert_ended(shelf: Shelf, operation: FileOperation) -> None:
    assert (operation.state, operation.error) == (State.FAILED, WHY)
    assert not EpisodeFile.objects.exists()
    with pytest.raises(DomainError, match=WHY):
        carry_out(operation)
    assert settle_operations(older_than=timedelta(0)) == 0
    shelf.episode.refresh_from_db()
    assert not shelf.episode.has_file


def test_an_import_that_has_not_begun_never_comes(shelf: Shelf):
    operation = shelf.plan_import()

    for _twice in range(2):
        abandoned = abandon(operation, WHY)

    assert_ended(shelf, abandoned)
    assert shelf.list_files() == {PART: CONTENT}


def test_an_import_is_abandoned_once(shelf: Shelf):
    operation = shelf.plan_import()
    told: list[str] = []

    def note(operation: FileOperation, **_kwargs: object) -> None:
        told.append(operation.state)

    operation_changed.connect(note)
    try:
        abandon(operation, WHY)
        abandon(operation, WHY)
    finally:
        operation_changed.disconnect(note)

    assert told == [State.FAILED]


def test_an_import_of_what_is_gone_ends(shelf: Shelf):
    operation = shelf.plan_import()
    (shelf.path / PART).unlink()

    for _twice in range(2):
        abandoned = abandon(operation, WHY)

    assert_ended(shelf, abandoned)


@pytest.mark.parametrize("step", ["settle_rows", "remove_original"])
@pytest.mark.parametrize("disks", ["one disk", "two disks"])
def test_what_is_at_its_place_already_is_finished_and_can_be_undone(
    shelf: Shelf, monkeypatch, step: str, disks: str
):
    if disks == "two disks":
        put_on_another_disk(monkeypatch)
    operation = shelf.plan_import()
    start_and_die(operation, step)

    for _twice in range(2):
        abandoned = abandon(operation, WHY)

    assert (abandoned.state, abandoned.error) == (State.DONE, "")
    assert shelf.list_files() == {PLACE: CONTENT}
    assert str(shelf.file) == PLACE
    undo(abandoned, by=BY)
    assert PLACE not in shelf.list_files()


def test_what_has_a_second_name_only_is_finished(shelf: Shelf, monkeypatch):
    """Where a name cannot be moved, a process may die between the second and the end of the first."""
    operation = shelf.plan_import()
    (shelf.path / PLACE).parent.mkdir(parents=True)
    os.link(shelf.path / PART, shelf.path / PLACE)

    abandoned = abandon(operation, WHY)

    assert abandoned.state == State.DONE
    assert shelf.list_files() == {PLACE: CONTENT}


@pytest.mark.parametrize("is_noted", [True, False])
def test_a_copy_goes_and_what_it_was_made_of_stays(
    shelf: Shelf, monkeypatch, *, is_noted: bool
):
    put_on_another_disk(monkeypatch)
    operation = shelf.plan_import()
    copy, identify = files.copy, files.identify

    def die(source: str, target: str) -> None:
        copy(source, target)
        raise KilledError

    def die_at_the_next_look(path: str) -> tuple[int, int] | None:
        if FileOperation.objects.get(pk=operation.pk).original:
            raise KilledError
        return identify(path)

    with monkeypatch.context() as patch:
        if is_noted:
            patch.setattr(files, "identify", die_at_the_next_look)
        else:
            patch.setattr(files, "copy", die)
        with pytest.raises(KilledError):
            carry_out(operation)
    assert len(shelf.list_files()) == 2

    for _twice in range(2):
        abandoned = abandon(operation, WHY)

    assert_ended(shelf, abandoned)
    assert shelf.list_files() == {PART: CONTENT}


def test_another_file_at_its_place_stays(shelf: Shelf):
    shelf.write(PLACE, b"another")
    operation = shelf.plan_import()

    abandoned = abandon(operation, WHY)

    assert_ended(shelf, abandoned)
    assert shelf.list_files() == {PART: CONTENT, PLACE: b"another"}


def test_what_another_process_brings_in_is_left_to_it(shelf: Shelf):
    operation = shelf.plan_import()

    with files.holding(shelf.path / LOCKS / str(operation.pk)):
        for _twice in range(2):
            with pytest.raises(BusyError, match="another process is at it"):
                abandon(operation, WHY)

    operation.refresh_from_db()
    assert operation.state == State.PLANNED
    assert_ended(shelf, abandon(operation, WHY))


def test_nothing_is_said_of_a_root_that_is_away(shelf: Shelf, tmp_path: Path):
    operation = shelf.plan_import()
    shelf.path.rename(tmp_path / "away")

    with pytest.raises(DomainError, match="cannot be read"):
        abandon(operation, WHY)

    operation.refresh_from_db()
    assert operation.state == State.PLANNED
    (tmp_path / "away").rename(shelf.path)
    assert_ended(shelf, abandon(operation, WHY))


def test_nothing_is_said_of_a_disk_that_does_not_answer(shelf: Shelf, monkeypatch):
    operation = shelf.plan_import()

    def refuse(_path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(files, "identify", refuse)
        with pytest.raises(DomainError, match="Input/output error"):
            abandon(operation, WHY)

    operation.refresh_from_db()
    assert operation.state == State.PLANNED


def test_what_is_done_stays_done(shelf: Shelf):
    abandoned = abandon(shelf.bring(), WHY)

    assert (abandoned.state, shelf.list_files()) == (State.DONE, {PLACE: CONTENT})


def test_only_imports_are_abandoned(shelf: Shelf):
    shelf.bring()

    with pytest.raises(ValueError, match="Expected an import, got a trash"):
        abandon(shelf.trash(), WHY)
