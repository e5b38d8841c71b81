"""A root folder that is found by another path: what was and will be done to its files is at that path, too."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.library.journal import carry_out
from aniworld_site.library.models import FileOperation
from aniworld_site.library.services import move_root
from aniworld_site.library.sidecars import write_sidecars
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import empty_trash, settle_operations
from tests.library.shelves import BY, CONTENT, PLACE, Shelf, make_shelf

pytestmark = pytest.mark.django_db

State = FileOperation.State
ODD = os.fsdecode(b"Dark \xff.mkv")


@pytest.fixture(params=["media", "M\u00e9dia 100%_"])
def shelf(request, tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path / str(request.param))


def mount_elsewhere(shelf: Shelf, name: str = "elsewhere") -> None:
    moved = shelf.path.parent / name
    shelf.path.rename(moved)
    move_root(shelf.root, str(moved))


def read(operation: FileOperation) -> FileOperation:
    """Return an operation as whoever comes next finds it."""
    return FileOperation.objects.get(pk=operation.pk)


@pytest.mark.parametrize("does", ["import", "move", "trash", "restore"])
def test_what_is_planned_is_done_at_the_new_path(shelf: Shelf, does: str):
    operation = shelf.plan(does)

    mount_elsewhere(shelf)
    settled = settle_operations(older_than=timedelta(0))

    operation = read(operation)
    assert (settled, operation.state) == (1, State.DONE)
    place = str(Path(operation.target).relative_to(shelf.path))
    assert shelf.list_files() == {place: CONTENT}


@pytest.mark.parametrize("does", ["move", "trash"])
@pytest.mark.parametrize("place", [PLACE, ODD])
def test_what_was_done_is_undone_at_the_new_path(shelf: Shelf, does: str, place: str):
    shelf.bring(place)
    operation = shelf.move("Other/1.mkv") if does == "move" else shelf.trash()

    mount_elsewhere(shelf)
    mount_elsewhere(shelf, "again")
    undo(read(operation), by=BY)

    assert shelf.list_files() == {place: CONTENT}
    assert str(shelf.file) == place


def test_what_was_trashed_is_deleted_at_the_new_path(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()

    mount_elsewhere(shelf)
    emptied = empty_trash(older_than=timedelta(0))

    assert (emptied, read(operation).state) == (1, State.EMPTIED)
    assert shelf.list_files() == {}


def test_a_sidecar_goes_with_an_undone_import_at_the_new_path(shelf: Shelf):
    operation = shelf.bring()
    write_sidecars(operation)

    mount_elsewhere(shelf)
    undo(read(operation), by=BY)

    assert not list(shelf.path.glob("Dark/Season 01/*"))


def test_a_copy_on_its_way_arrives_at_the_new_path(shelf: Shelf):
    operation = shelf.plan("move")
    copy = shelf.write(f"Other/.aniworld-{operation.pk}.part")
    operation.original, operation.source = operation.source, str(copy)
    operation.inode = copy.stat().st_ino
    operation.save()

    mount_elsewhere(shelf)
    carry_out(read(operation))

    assert shelf.list_files() == {"Other/1.mkv": CONTENT}


def test_other_places_stay_what_they_are(shelf: Shelf, tmp_path: Path):
    neighbour = make_shelf(tmp_path / f"{shelf.path.name} 2")
    beside = neighbour.bring()
    own = shelf.plan_import()
    outside = f"{shelf.path.name} 2/x.part"
    FileOperation.objects.filter(pk=own.pk).update(source=str(tmp_path / outside))

    mount_elsewhere(shelf)

    assert read(own).source == str(tmp_path / outside)
    assert read(own).target == str(shelf.path / PLACE)
    assert read(beside).target == str(neighbour.path / PLACE)
