"""What was done to files is put back, unless something else is there by now."""

from __future__ import annotations

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import EpisodeFile, FileOperation
from aniworld_site.library.undoing import undo
from tests.library.shelves import BY, CONTENT, PLACE, Shelf

pytestmark = pytest.mark.django_db

State = FileOperation.State


def has_file(shelf: Shelf) -> bool:
    shelf.episode.refresh_from_db()
    return shelf.episode.has_file


def test_an_undone_import_is_in_the_trash_and_still_wanted(shelf: Shelf):
    operation = shelf.bring()

    inverse = undo(operation, by=BY)

    operation.refresh_from_db()
    assert (operation.state, inverse.kind, inverse.undoes) == (
        State.UNDONE,
        FileOperation.Kind.TRASH,
        operation,
    )
    assert list(shelf.list_files().values()) == [CONTENT]
    assert (has_file(shelf), shelf.episode.is_wanted) == (False, True)


def test_an_undone_move_is_back(shelf: Shelf):
    shelf.bring()
    operation = shelf.move("Other/1.mkv")

    undo(operation, by=BY)

    operation.refresh_from_db()
    assert operation.state == State.UNDONE
    assert shelf.list_files() == {PLACE: CONTENT}
    assert (str(shelf.file), has_file(shelf)) == (PLACE, True)


def test_an_undone_trash_is_back_and_wanted_as_before(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()

    restored = undo(operation, by=BY)

    operation.refresh_from_db()
    assert (operation.state, restored.kind) == (
        State.UNDONE,
        FileOperation.Kind.RESTORE,
    )
    assert shelf.list_files() == {PLACE: CONTENT}
    assert (has_file(shelf), shelf.episode.is_wanted) == (True, True)
    assert (str(shelf.file), shelf.file.vanished_at) == (PLACE, None)


def test_undo_twice_is_refused(shelf: Shelf):
    shelf.bring()
    operation = shelf.move("Other/1.mkv")
    undo(operation, by=BY)

    with pytest.raises(DomainError, match="This move is undone"):
        undo(operation, by=BY)


def test_undo_of_what_is_planned_is_refused(shelf: Shelf):
    with pytest.raises(DomainError, match="This import is planned"):
        undo(shelf.plan_import(), by=BY)


def test_undo_of_a_restore_is_refused(shelf: Shelf):
    shelf.bring()
    restored = undo(shelf.trash(), by=BY)

    with pytest.raises(DomainError, match="can be trashed again"):
        undo(restored, by=BY)


@pytest.mark.parametrize("does", ["move", "trash"])
def test_undo_never_overwrites(shelf: Shelf, does: str):
    shelf.bring()
    operation = shelf.move("Other/1.mkv") if does == "move" else shelf.trash()
    shelf.write(PLACE, b"another")

    with pytest.raises(DomainError, match="Something else is at"):
        undo(operation, by=BY)

    assert sorted(shelf.list_files().values()) == [b"another", CONTENT]
    operation.refresh_from_db()
    assert operation.state == State.DONE


@pytest.mark.parametrize("content", [None, b"another"])
def test_undo_of_what_is_another_file_now_is_refused(
    shelf: Shelf, content: bytes | None
):
    operation = shelf.bring()
    (shelf.path / PLACE).unlink()
    if content is not None:
        shelf.write(PLACE, content)

    with pytest.raises(DomainError, match="nothing was changed"):
        undo(operation, by=BY)


def test_undo_of_an_import_that_the_library_forgot_is_refused(shelf: Shelf):
    operation = shelf.bring()
    EpisodeFile.objects.all().delete()

    with pytest.raises(DomainError, match="scan first"):
        undo(operation, by=BY)


@pytest.mark.parametrize("does", ["import", "move"])
def test_undo_of_what_is_known_at_another_place_is_refused(shelf: Shelf, does: str):
    """A scan took a copy for the file, while it was away."""
    operation = shelf.bring()
    if does == "move":
        operation = shelf.move("Other/1.mkv")
    shelf.write("Backup/Dark - S01E01.mkv")
    before = shelf.list_files()
    EpisodeFile.objects.update(folder="Backup", name="Dark - S01E01.mkv")

    for _twice in range(2):
        with pytest.raises(DomainError, match="takes Backup/Dark"):
            undo(operation, by=BY)

    operation.refresh_from_db()
    assert (operation.state, shelf.list_files()) == (State.DONE, before)
