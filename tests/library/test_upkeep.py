"""Looking after the journal: one operation that cannot be finished keeps nobody waiting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from aniworld_site.downloads.models import Download
from aniworld_site.library.journal import TRASH
from aniworld_site.library.models import FileOperation
from aniworld_site.library.signals import operation_changed
from aniworld_site.library.tasks import settle_files
from aniworld_site.library.upkeep import empty_trash, settle_operations
from tests.library.shelves import CONTENT, Shelf, make_shelf

pytestmark = pytest.mark.django_db

State = FileOperation.State


@pytest.fixture
def broken(shelf: Shelf) -> Iterator[FileOperation]:
    """An operation that ends in an error of the site itself."""
    operation = shelf.plan_import()

    def break_off(operation: FileOperation, **_kwargs: object) -> None:
        if operation.pk == pk:
            raise ZeroDivisionError

    pk = operation.pk
    operation_changed.connect(break_off)
    yield operation
    operation_changed.disconnect(break_off)


def test_settle_operations_goes_on_after_an_error(
    shelf: Shelf, broken: FileOperation, caplog
):
    FileOperation.objects.filter(pk=broken.pk).update(
        made_at=timezone.now() + timedelta(days=1)
    )
    second = make_shelf(shelf.path.parent / "other").plan_import()

    settled = settle_operations(older_than=timedelta(days=-2))

    second.refresh_from_db()
    assert (settled, second.state) == (1, State.DONE)
    assert f"Operation {broken.pk} broke off" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_an_error_keeps_no_trash(shelf: Shelf, broken: FileOperation, settings):
    other = make_shelf(shelf.path.parent / "other")
    other.bring()
    trashed = other.trash()
    FileOperation.objects.update(made_at=timezone.now() - timedelta(days=1))
    settings.TRASH_DAYS = 1e-9

    settle_files()

    trashed.refresh_from_db()
    assert (trashed.state, other.list_files()) == (State.EMPTIED, {})


@pytest.mark.parametrize("state", ["importing", "paused", "cancelled", "waiting"])
def test_the_import_of_a_download_is_left_to_its_runner(shelf: Shelf, state: str):
    operation = shelf.plan_import()
    download = Download.objects.create(
        episode=shelf.episode, operation=operation, state=state
    )

    for _twice in range(2):
        settled = settle_operations(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (settled, operation.state) == (0, State.PLANNED)
    download.delete()
    assert settle_operations(older_than=timedelta(0)) == 1


def test_empty_trash_says_so_of_what_was_deleted_by_hand(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()
    shutil.rmtree(shelf.path / TRASH)

    emptied = empty_trash(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (emptied, operation.state) == (1, State.EMPTIED)


def test_empty_trash_says_nothing_of_what_is_another_file_now(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()
    Path(operation.target).write_bytes(b"another and longer")

    for _twice in range(2):
        emptied = empty_trash(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (emptied, operation.state) == (0, State.DONE)
    assert list(shelf.list_files().values()) == [b"another and longer"]


def test_empty_trash_deletes_nothing_outside_of_the_trash(shelf: Shelf, tmp_path: Path):
    shelf.bring()
    operation = shelf.trash()
    kept = tmp_path / "kept.mkv"
    Path(operation.target).rename(kept)
    FileOperation.objects.filter(pk=operation.pk).update(target=str(kept))

    emptied = empty_trash(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (emptied, operation.state, kept.exists()) == (0, State.DONE, True)


def test_empty_trash_says_nothing_of_an_empty_place_of_a_mount(
    shelf: Shelf, tmp_path: Path
):
    """All that the root held is in its trash, so that it may well be empty otherwise."""
    shelf.bring()
    operation = shelf.trash()
    shelf.path.rename(tmp_path / "away")
    shelf.path.mkdir()

    emptied = empty_trash(older_than=timedelta(0))

    operation.refresh_from_db()
    assert (emptied, operation.state) == (0, State.DONE)


def test_empty_trash_believes_no_clock_that_was_behind(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()
    behind = timezone.now() - timedelta(days=31)
    FileOperation.objects.filter(pk=operation.pk).update(done_at=behind)

    early = empty_trash(older_than=timedelta(days=30))
    kept = list(shelf.list_files().values())
    late = empty_trash(older_than=timedelta(0))

    assert (early, kept, late) == (0, [CONTENT], 1)


def test_empty_trash_believes_no_time_to_come(shelf: Shelf):
    shelf.bring()
    operation = shelf.trash()
    ahead = timezone.now() + timedelta(days=1)
    FileOperation.objects.filter(pk=operation.pk).update(done_at=ahead)

    assert empty_trash(older_than=timedelta(0)) == 0
