"""What is done to files on disks that are full, slow to tell, elsewhere or away: nothing is lost, and nothing overwritten."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.journal import carry_out
from aniworld_site.library.models import (
    EpisodeFile,
    FileOperation,
    Series,
)
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import empty_trash
from tests.library.shelves import (
    BY,
    CONTENT,
    PLACE,
    Shelf,
    put_on_another_disk,
)

pytestmark = pytest.mark.django_db

State = FileOperation.State
ODD = os.fsdecode(b"Dark \xff")
"""A folder's name that is no UTF-8, as old disks have them."""


def test_an_import_never_overwrites_what_comes_at_the_last_moment(
    shelf: Shelf, monkeypatch
):
    operation = shelf.plan_import()
    rename = files._rename_exclusively
    came: list[Path] = []

    def come_first(source: str, target: str) -> None:
        if not came:
            came.append(Path(target))
            came[0].write_bytes(b"another")
        rename(source, target)

    monkeypatch.setattr(files, "_rename_exclusively", come_first)

    carry_out(operation)

    assert shelf.list_files() == {
        PLACE: b"another",
        "Dark/Season 01/Dark - S01E01 (2).mkv": CONTENT,
    }


def test_a_file_system_without_exclusive_renames_overwrites_nothing(
    shelf: Shelf, monkeypatch
):
    monkeypatch.setattr(files, "_libc", None)
    target = shelf.write(PLACE, b"another")

    with pytest.raises(FileExistsError):
        files.rename(str(shelf.write("part")), str(target))
    shelf.bring()

    assert shelf.list_files()[PLACE] == b"another"
    assert str(shelf.file) == "Dark/Season 01/Dark - S01E01 (2).mkv"


def test_an_import_from_another_disk_is_copied_and_leaves_nothing(
    shelf: Shelf, monkeypatch
):
    put_on_another_disk(monkeypatch)

    operation = shelf.bring()

    assert shelf.list_files() == {PLACE: CONTENT}
    assert (operation.state, shelf.file.inode) == (
        State.DONE,
        (shelf.path / PLACE).stat().st_ino,
    )


def test_a_link_that_leads_out_of_the_root_is_not_followed(
    shelf: Shelf, tmp_path: Path
):
    outside = tmp_path / "outside"
    outside.mkdir()
    (shelf.path / "Dark").symlink_to(outside)

    with pytest.raises(DomainError, match="leads out of its root folder"):
        shelf.bring()

    assert list(outside.iterdir()) == []
    assert shelf.list_files() == {".aniworld/partial/1.part": CONTENT}


def test_an_import_that_finds_no_room_is_tried_again(shelf: Shelf, monkeypatch):
    operation = shelf.plan_import()

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", refuse)
        with pytest.raises(DomainError, match="No space left on device"):
            carry_out(operation)
    operation.refresh_from_db()
    state = operation.state
    carry_out(operation)

    assert (state, operation.state) == (State.PLANNED, State.DONE)
    assert shelf.list_files() == {PLACE: CONTENT}


@pytest.mark.parametrize("content", [None, b"another and longer"])
def test_an_import_whose_file_is_another_one_meanwhile_fails(
    shelf: Shelf, content: bytes | None
):
    operation = shelf.plan_import()
    part = Path(operation.source)
    part.unlink()
    if content is not None:
        part.write_bytes(content)

    for _twice in range(2):
        with pytest.raises(DomainError, match="is gone, or is another file now"):
            carry_out(operation)

    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert not EpisodeFile.objects.exists()


def test_a_move_to_where_it_is_changes_nothing(shelf: Shelf):
    shelf.bring()

    with pytest.raises(DomainError, match="is there already"):
        shelf.move(PLACE)

    assert shelf.list_files() == {PLACE: CONTENT}


def test_a_move_by_a_link_to_where_it_is_loses_nothing(shelf: Shelf):
    shelf.bring()
    (shelf.path / "Also").symlink_to(shelf.path / "Dark")

    with pytest.raises(DomainError):
        shelf.move(f"Also{PLACE.removeprefix('Dark')}")

    assert shelf.list_files() == {PLACE: CONTENT}


def test_a_move_to_another_disk_without_room_leaves_no_half_of_it(
    shelf: Shelf, monkeypatch
):
    shelf.bring()
    put_on_another_disk(monkeypatch)

    def refuse(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        (shelf.path / "Other").mkdir()
        with pytest.raises(DomainError, match="No space left"):
            shelf.move("Other/1.mkv")

    assert shelf.list_files() == {PLACE: CONTENT}
    assert FileOperation.objects.get(kind="move").state == State.FAILED


@pytest.mark.parametrize("does", ["move", "trash"])
def test_what_went_to_another_disk_comes_back_under_its_name(
    shelf: Shelf, monkeypatch, does: str
):
    shelf.bring()
    put_on_another_disk(monkeypatch)
    operation = shelf.move("Other/1.mkv") if does == "move" else shelf.trash()

    undo(operation, by=BY)

    assert shelf.list_files() == {PLACE: CONTENT}
    assert str(shelf.file) == PLACE


def test_an_import_waits_for_a_root_that_is_away(shelf: Shelf, tmp_path: Path):
    operation = shelf.plan_import()
    shelf.path.rename(tmp_path / "away")

    with pytest.raises(DomainError, match="cannot be read"):
        carry_out(operation)
    (tmp_path / "away").rename(shelf.path)
    carry_out(operation)

    assert shelf.list_files() == {PLACE: CONTENT}


def test_empty_trash_waits_for_a_root_that_is_away(shelf: Shelf, tmp_path: Path):
    shelf.bring()
    shelf.trash()
    shelf.path.rename(tmp_path / "away")

    away = empty_trash(older_than=timedelta(0))
    (tmp_path / "away").rename(shelf.path)

    assert (away, empty_trash(older_than=timedelta(0))) == (0, 1)
    assert shelf.list_files() == {}


def test_a_folder_that_is_no_text_is_brought_into(shelf: Shelf):
    operation = shelf.bring(f"{ODD}/Season 01/Dark - S01E01.mkv")

    assert operation.state == State.DONE
    assert list(shelf.list_files().values()) == [CONTENT]
    assert Series.objects.get().folder == "Dark \ufffd"


def test_a_link_that_is_no_text_is_told_of_in_text(shelf: Shelf, tmp_path: Path):
    (shelf.path / ODD).symlink_to(tmp_path)

    with pytest.raises(DomainError, match="Dark \ufffd leads out of") as refused:
        shelf.bring(f"{ODD}/1.mkv")

    assert str(refused.value).encode()


def test_a_place_that_is_not_in_the_root_is_refused(shelf: Shelf, tmp_path: Path):
    operation = shelf.plan_import()
    FileOperation.objects.update(target=str(tmp_path / "elsewhere/1.mkv"))

    with pytest.raises(DomainError, match="is not in the root folder"):
        carry_out(operation)

    assert not (tmp_path / "elsewhere").exists()
