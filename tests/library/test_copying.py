"""What cannot be moved is copied, and goes after its copy is there; where it may not go, the copy goes again."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.journal import carry_out
from aniworld_site.library.models import FileOperation
from tests.library.shelves import (
    CONTENT,
    PLACE,
    Shelf,
    put_on_another_disk,
)

pytestmark = pytest.mark.django_db

State = FileOperation.State


def forbid_unlinking(monkeypatch, path: Path, code: int) -> None:
    unlink = os.unlink

    def refuse(name: str | Path, **options: Any) -> None:
        if str(name) == str(path):
            raise OSError(code, os.strerror(code))
        unlink(name, **options)

    monkeypatch.setattr(os, "unlink", refuse)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
@pytest.mark.parametrize("does", ["move", "trash"])
def test_what_may_not_be_deleted_stays_where_it_was(
    shelf: Shelf, monkeypatch, does: str, code: int
):
    put_on_another_disk(monkeypatch)
    operation = shelf.plan(does)
    forbid_unlinking(monkeypatch, shelf.path / PLACE, code)

    for _twice in range(2):
        with pytest.raises(DomainError, match=f"deleted: {os.strerror(code)}"):
            carry_out(operation)

    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert shelf.list_files() == {PLACE: CONTENT}
    assert not Path(operation.target).parent.exists()
    assert (str(shelf.file), shelf.file.vanished_at) == (PLACE, None)


def test_what_cannot_be_deleted_now_is_deleted_later(shelf: Shelf, monkeypatch):
    operation = shelf.plan("trash")

    with monkeypatch.context() as patch:
        put_on_another_disk(patch)
        forbid_unlinking(patch, shelf.path / PLACE, errno.EIO)
        with pytest.raises(DomainError, match="Input/output error"):
            carry_out(operation)
    operation.refresh_from_db()
    state = operation.state
    carry_out(operation)

    assert (state, operation.state) == (State.PLANNED, State.DONE)
    assert list(shelf.list_files().values()) == [CONTENT]


def test_an_import_whose_part_may_not_be_deleted_is_tried_again(
    shelf: Shelf, monkeypatch
):
    operation = shelf.plan_import()

    with monkeypatch.context() as patch:
        put_on_another_disk(patch)
        forbid_unlinking(patch, Path(operation.source), errno.EACCES)
        with pytest.raises(DomainError, match="cannot be deleted"):
            carry_out(operation)
    operation.refresh_from_db()
    state = operation.state
    carry_out(operation)

    assert (state, operation.state) == (State.PLANNED, State.DONE)
    assert shelf.list_files() == {PLACE: CONTENT}


def test_a_name_that_may_not_be_taken_away_gets_no_second_one(
    shelf: Shelf, monkeypatch
):
    operation = shelf.plan("move")
    monkeypatch.setattr(files, "_libc", None)
    forbid_unlinking(monkeypatch, shelf.path / PLACE, errno.EACCES)

    with pytest.raises(DomainError, match="Permission denied"):
        carry_out(operation)

    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert shelf.list_files() == {PLACE: CONTENT}
