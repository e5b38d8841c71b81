"""What is done to files: where they are and what the library knows afterwards, and what is refused."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from aniworld_site.exceptions import DomainError
from aniworld_site.library.journal import (
    carry_out,
    plan_import,
    plan_move,
    plan_trash,
)
from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
    RootFolder,
    Series,
    SeriesFolder,
)
from aniworld_site.library.signals import (
    operation_changed,
    root_changed,
    series_changed,
)
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import empty_trash, settle_operations
from tests.factories import make_file
from tests.library.shelves import BY, CONTENT, PLACE, Shelf
from tests.library.trees import scan

pytestmark = pytest.mark.django_db

State = FileOperation.State
MOVED = "Dark/Season 01/Dark - 1.mkv"


def has_file(shelf: Shelf) -> bool:
    shelf.episode.refresh_from_db()
    return shelf.episode.has_file


# Import


def test_an_import_puts_the_file_and_its_rows_in_place(shelf: Shelf):
    operation = shelf.bring()

    assert shelf.list_files() == {PLACE: CONTENT}
    assert (operation.state, operation.done_at is not None) == (State.DONE, True)
    file = shelf.file
    assert (str(file), file.size_bytes, file.is_locked, file.match) == (
        PLACE,
        len(CONTENT),
        True,
        EpisodeFile.Match.LINKED,
    )
    assert (file.inode, file.series) == (
        (shelf.path / PLACE).stat().st_ino,
        shelf.episode.season.series,
    )
    assert operation.file == file
    link = EpisodeFileLink.objects.get()
    assert (link.episode, link.how) == (shelf.episode, "download")
    assert has_file(shelf)
    folder = SeriesFolder.objects.get()
    assert (folder.name, folder.series) == ("Dark", shelf.episode.season.series)
    assert Series.objects.get().folder == "Dark"


def test_an_import_stays_as_it_is_when_a_scan_comes_by(shelf: Shelf):
    shelf.bring("Dark/what.mkv")

    scan(shelf.root, is_full=True)

    assert EpisodeFileLink.objects.get().episode == shelf.episode


def test_an_import_is_announced_once(shelf: Shelf):
    operation = shelf.plan_import()
    told: list[object] = []

    def note(**kwargs):
        told.append(kwargs.get("series_ids") or kwargs["operation"].state)

    series_changed.connect(note)
    operation_changed.connect(note)
    try:
        carry_out(operation)
        carry_out(operation)
    finally:
        series_changed.disconnect(note)
        operation_changed.disconnect(note)

    assert told == [{shelf.episode.season.series_id}, State.DONE]


def test_an_import_never_overwrites(shelf: Shelf):
    shelf.write(PLACE, b"another")
    shelf.write("Dark/Season 01/Dark - S01E01 (2).mkv", b"a third")

    operation = shelf.bring()

    assert shelf.list_files() == {
        PLACE: b"another",
        "Dark/Season 01/Dark - S01E01 (2).mkv": b"a third",
        "Dark/Season 01/Dark - S01E01 (3).mkv": CONTENT,
    }
    assert operation.target == str(shelf.path / "Dark/Season 01/Dark - S01E01 (3).mkv")
    assert str(shelf.file) == "Dark/Season 01/Dark - S01E01 (3).mkv"


def test_an_import_of_nothing_is_refused(shelf: Shelf):
    with pytest.raises(DomainError, match="is not there any more"):
        plan_import(
            shelf.path / "x.part",
            episode=shelf.episode,
            root=shelf.root,
            relative=PLACE,
            by=BY,
        )

    assert not FileOperation.objects.exists()


# Move


def test_a_move_keeps_the_row_and_its_links(shelf: Shelf):
    shelf.bring()
    before = shelf.file

    operation = shelf.move("Dark (2017)/1.mkv")

    assert shelf.list_files() == {"Dark (2017)/1.mkv": CONTENT}
    assert (shelf.file.pk, str(shelf.file)) == (before.pk, "Dark (2017)/1.mkv")
    assert (operation.state, has_file(shelf)) == (State.DONE, True)
    assert not (shelf.path / "Dark").exists()


def test_a_move_to_a_place_that_is_taken_is_refused(shelf: Shelf):
    shelf.bring()
    shelf.write(MOVED, b"another")

    with pytest.raises(DomainError, match="something else is there already"):
        shelf.move(MOVED)

    assert shelf.list_files() == {PLACE: CONTENT, MOVED: b"another"}
    assert FileOperation.objects.get(kind="move").state == State.FAILED
    assert str(shelf.file) == PLACE


@pytest.mark.parametrize(
    "relative", ["../x.mkv", "a/../../x.mkv", "/x.mkv", "", "a//b", ".aniworld/x.mkv"]
)
def test_a_move_out_of_the_root_is_refused(shelf: Shelf, relative: str):
    shelf.bring()

    with pytest.raises(DomainError, match="Expected a path below"):
        plan_move(shelf.file, relative, by=BY)


# Trash


def test_trash_takes_a_file_away_and_it_is_not_fetched_again(shelf: Shelf):
    shelf.bring()

    operation = shelf.trash()

    place = f".aniworld/trash/{operation.pk}/Dark - S01E01.mkv"
    assert shelf.list_files() == {place: CONTENT}
    assert (has_file(shelf), shelf.episode.is_wanted) == (False, False)
    assert shelf.file.vanished_at is not None
    assert not (shelf.path / "Dark").exists()


def test_trash_leaves_wanted_what_another_file_holds(shelf: Shelf):
    shelf.bring()
    make_file(root=shelf.root, link=shelf.episode, name="second.mkv")

    carry_out(plan_trash(EpisodeFile.objects.get(folder__gt=""), by=BY))

    assert (has_file(shelf), shelf.episode.is_wanted) == (True, True)


def test_trash_of_what_is_gone_is_refused(shelf: Shelf):
    shelf.bring()
    (shelf.path / PLACE).unlink()

    with pytest.raises(DomainError, match="is not there any more"):
        shelf.trash()

    assert FileOperation.objects.count() == 1


# Looking after it


def test_settle_operations_finishes_what_was_interrupted_long_ago(shelf: Shelf):
    operation = shelf.plan_import()

    young = settle_operations()
    FileOperation.objects.update(made_at=timezone.now() - timedelta(minutes=2))
    old = settle_operations()

    operation.refresh_from_db()
    assert (young, old, operation.state) == (0, 1, State.DONE)
    assert settle_operations(older_than=timedelta(0)) == 0


def test_settle_operations_goes_on_after_one_that_cannot_be(shelf: Shelf, caplog):
    gone = shelf.plan_import()
    Path(gone.source).unlink()
    shelf.plan_import("Dark/2.mkv")

    settle_operations(older_than=timedelta(0))

    states = FileOperation.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.FAILED, State.DONE]
    assert "is gone, or is another file now" in caplog.text


def test_empty_trash_deletes_what_was_trashed_long_ago(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()

    young = empty_trash(older_than=timedelta(days=1))
    kept = shelf.list_files()
    old = empty_trash(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (young, list(kept.values()), old) == (0, [CONTENT], 1)
    assert (operation.state, shelf.list_files()) == (State.EMPTIED, {})
    assert empty_trash(older_than=timedelta(0)) == 0
    with pytest.raises(DomainError, match="deleted for good"):
        undo(operation, by=BY)


def test_empty_trash_leaves_alone_what_is_another_file_now(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()
    Path(operation.target).unlink()
    shelf.write(os.path.relpath(operation.target, shelf.path), b"another")

    empty_trash(older_than=timedelta(0))

    assert list(shelf.list_files().values()) == [b"another"]


def test_what_is_done_is_counted_in_its_root_folder_and_told(shelf: Shelf):
    counts = []

    def note(root: RootFolder, **_kwargs: object) -> None:
        counts.append(root.file_count)

    root_changed.connect(note)
    try:
        shelf.bring()
        undo(shelf.trash(), by=BY)
    finally:
        root_changed.disconnect(note)

    assert counts == [1, 0, 1]
