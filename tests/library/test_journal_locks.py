"""Two processes that are at one operation: the second leaves it to the first."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.journal import (
    LOCKS,
    BusyError,
    carry_out,
    plan_move,
    plan_trash,
)
from aniworld_site.library.models import FileOperation
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


def get_lock(operation: FileOperation) -> Path:
    return Path(operation.root.path) / LOCKS / str(operation.pk)


@pytest.mark.parametrize("does", ["import", "move", "trash", "restore"])
def test_what_another_process_is_at_is_left_to_it(shelf: Shelf, does: str):
    operation = shelf.plan(does)
    lock = get_lock(operation)

    with files.holding(lock):
        for _twice in range(2):
            with pytest.raises(BusyError, match="another process is at it"):
                carry_out(operation)
        settled = settle_operations(older_than=timedelta(0))

    operation.refresh_from_db()
    state = operation.state
    carry_out(operation)
    operation.refresh_from_db()
    assert (settled, state, operation.state) == (0, State.PLANNED, State.DONE)
    assert not lock.exists()


def test_what_another_process_is_copying_keeps_its_copy(shelf: Shelf, monkeypatch):
    shelf.bring()
    put_on_another_disk(monkeypatch)
    operation = plan_trash(shelf.file, by=BY)
    copy, settled = files.copy, []

    def copy_slowly(source: str, target: str) -> None:
        copy(source, target)
        settled.append(settle_operations(older_than=timedelta(0)))

    monkeypatch.setattr(files, "copy", copy_slowly)

    carry_out(operation)

    operation.refresh_from_db()
    assert (settled, operation.state) == ([0], State.DONE)
    assert list(shelf.list_files()) == [
        f".aniworld/trash/{operation.pk}/Dark - S01E01.mkv"
    ]
    assert shelf.file.vanished_at is not None


def test_what_another_process_did_meanwhile_is_not_done_again(
    shelf: Shelf, monkeypatch
):
    shelf.bring()
    operation = plan_move(shelf.file, "Other/1.mkv", by=BY)
    holding = files.holding

    def hold_late(lock: Path) -> AbstractContextManager[None]:
        monkeypatch.undo()
        other = FileOperation.objects.get(pk=operation.pk)
        undo(carry_out(other), by=BY)
        return holding(lock)

    monkeypatch.setattr(files, "holding", hold_late)

    carry_out(operation)

    assert operation.state == State.UNDONE
    assert shelf.list_files() == {PLACE: CONTENT}


def test_what_cannot_be_locked_fails(shelf: Shelf, monkeypatch):
    shelf.bring()

    def refuse(_lock: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files, "holding", refuse)

    with pytest.raises(DomainError, match="Read-only file system"):
        shelf.trash()

    assert FileOperation.objects.get(kind="trash").state == State.FAILED
    assert shelf.list_files() == {PLACE: CONTENT}


def test_what_another_user_has_locked_is_left_to_them(shelf: Shelf, monkeypatch):
    shelf.bring()
    operation = plan_trash(shelf.file, by=BY)
    get_lock(operation).touch()

    def refuse(_lock: Path) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(files, "holding", refuse)

    with pytest.raises(DomainError, match="Permission denied"):
        carry_out(operation)

    operation.refresh_from_db()
    assert operation.state == State.PLANNED
