"""`.nfo` files: what is in them, where they are left alone, and that they go with what they describe."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from aniworld_site.library.models import FileOperation
from aniworld_site.library.sidecars import write_sidecars
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import settle_operations
from tests.library.shelves import BY, CONTENT, PLACE, Shelf

pytestmark = pytest.mark.django_db

EPISODE, SERIES = "Dark/Season 01/Dark - S01E01.nfo", "Dark/tvshow.nfo"


def test_sidecars_say_what_the_file_holds(shelf: Shelf):
    shelf.episode.title = "Secrets & <Lies>\x0b"
    shelf.episode.save()
    series = shelf.episode.season.series
    series.year, series.ids = 2017, {"tvdb": "334824"}
    series.save()
    operation = shelf.bring()

    written = write_sidecars(operation)

    assert written == [str(shelf.path / EPISODE)]
    episode = ElementTree.parse(shelf.path / EPISODE).getroot()  # noqa: S314  # Our own.
    assert {field.tag: field.text for field in episode} == {
        "title": "Secrets & <Lies>\ufffd",
        "showtitle": "Dark",
        "season": "1",
        "episode": "1",
    }
    tvshow = ElementTree.parse(shelf.path / SERIES).getroot()  # noqa: S314  # Our own.
    assert {field.tag: field.text for field in tvshow} == {
        "title": "Dark",
        "year": "2017",
        "uniqueid": "334824",
    }
    operation.refresh_from_db()
    assert [note["path"] for note in operation.sidecars] == written


def test_sidecars_are_never_written_over_others(shelf: Shelf):
    shelf.write(EPISODE, b"by hand")
    shelf.write(SERIES, b"by hand")

    written = write_sidecars(shelf.bring())

    assert written == []
    assert shelf.list_files() == {
        PLACE: CONTENT,
        EPISODE: b"by hand",
        SERIES: b"by hand",
    }


def test_an_undone_import_takes_its_own_sidecar_along_and_leaves_the_series(
    shelf: Shelf,
):
    operation = shelf.bring()
    write_sidecars(operation)

    undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    # Other episodes are described by it, too.
    left = shelf.list_files()
    assert SERIES in left
    assert EPISODE not in left
    assert CONTENT in left.values()


def test_an_undone_import_leaves_the_sidecars_of_others(shelf: Shelf):
    shelf.write(SERIES, b"by hand")
    operation = shelf.bring()
    write_sidecars(operation)

    undo(operation, by=BY)

    assert shelf.list_files()[SERIES] == b"by hand"
    assert EPISODE not in shelf.list_files()


def test_a_root_without_folders_for_series_gets_no_tvshow(shelf: Shelf):
    operation = shelf.bring("Dark - S01E01.mkv")

    written = write_sidecars(operation)

    assert written == [str(shelf.path / "Dark - S01E01.nfo")]


def test_sidecars_of_a_removed_episode_are_none(shelf: Shelf):
    operation = shelf.bring()
    shelf.episode.delete()

    assert write_sidecars(operation) == []


def test_an_undone_import_leaves_what_a_person_made_of_its_sidecar(shelf: Shelf):
    operation = shelf.bring()
    write_sidecars(operation)
    shelf.write(EPISODE, b"by hand")

    undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    assert shelf.list_files()[EPISODE] == b"by hand"


def test_a_sidecar_of_which_only_the_path_is_known_is_left(shelf: Shelf):
    operation = shelf.bring()
    shelf.write(EPISODE, b"by hand")
    FileOperation.objects.update(sidecars=[str(shelf.path / EPISODE)])

    undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    assert shelf.list_files()[EPISODE] == b"by hand"


def test_sidecars_written_twice_are_still_the_imports_own(shelf: Shelf):
    """As by a worker that was killed before it had ended the download."""
    operation = shelf.bring()
    first = write_sidecars(operation)
    FileOperation.objects.update(sidecars=[])

    assert write_sidecars(FileOperation.objects.get(pk=operation.pk)) == first

    undo(FileOperation.objects.get(pk=operation.pk), by=BY)
    assert EPISODE not in shelf.list_files()


def test_a_sidecar_goes_though_who_undid_its_import_was_killed(
    shelf: Shelf, monkeypatch
):
    operation = shelf.bring()
    write_sidecars(operation)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", interrupt_at(EPISODE, Path.unlink))
        with pytest.raises(KeyboardInterrupt):
            undo(operation, by=BY)
    assert EPISODE in shelf.list_files()

    settle_operations()

    assert EPISODE not in shelf.list_files()
    assert FileOperation.objects.get(pk=operation.pk).sidecars == []


def interrupt_at(name: str, unlink: Callable[..., None]) -> Callable[..., None]:
    """Return an `unlink` that is never left where the path ends so."""

    def interrupt(path: Path, **options: Any) -> None:
        if str(path).endswith(name):
            raise KeyboardInterrupt
        unlink(path, **options)

    return interrupt


def test_sidecars_of_what_is_not_mounted_wait_for_it(shelf: Shelf):
    operation = shelf.bring()
    write_sidecars(operation)
    FileOperation.objects.update(state=FileOperation.State.UNDONE)
    away = shelf.path.rename(shelf.path.with_name("away"))

    settle_operations()
    kept = FileOperation.objects.get(pk=operation.pk).sidecars
    away.rename(shelf.path)
    settle_operations()

    assert len(kept) == 1
    assert EPISODE not in shelf.list_files()


def test_a_sidecar_that_is_gone_keeps_nothing_from_being_undone(shelf: Shelf):
    operation = shelf.bring()
    write_sidecars(operation)
    (shelf.path / EPISODE).unlink()

    undone = undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    assert undone.state == FileOperation.State.DONE


def test_a_sidecar_that_cannot_be_deleted_is_logged(shelf: Shelf, monkeypatch, caplog):
    operation = shelf.bring()
    write_sidecars(operation)
    unlink = os.unlink

    def refuse(path: str | Path, **options: Any) -> None:
        if str(path).endswith(".nfo"):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)

    undone = undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    assert undone.state == FileOperation.State.DONE
    assert "cannot be deleted: Permission denied" in caplog.text


def test_a_full_disk_keeps_no_half_of_a_sidecar(shelf: Shelf, monkeypatch, caplog):
    operation = shelf.bring()

    def write_half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_half)

    written = write_sidecars(operation)

    assert (written, shelf.list_files()) == ([], {PLACE: CONTENT})
    assert "cannot be written: No space left on device" in caplog.text


def test_sidecars_in_a_folder_that_is_no_text_are_written_and_go(shelf: Shelf):
    folder = os.fsdecode(b"Dark \xff")
    operation = shelf.bring(f"{folder}/1.mkv")

    written = write_sidecars(operation)
    undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    assert written == [str(shelf.path / folder / "1.nfo")]
    assert not Path(written[0]).exists()
