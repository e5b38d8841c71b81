"""What lies beside a video: which of it is the video's own, and that it goes where the video goes."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.companions import MOST, find_companions
from aniworld_site.library.fields import to_stored
from aniworld_site.library.journal import carry_out, plan_move, plan_trash
from aniworld_site.library.models import FileOperation
from aniworld_site.library.sidecars import write_sidecars
from aniworld_site.library.undoing import undo
from aniworld_site.library.upkeep import empty_trash
from tests.library.shelves import (
    BY,
    CONTENT,
    PLACE,
    Shelf,
    make_shelf,
    put_on_another_disk,
)

pytestmark = pytest.mark.django_db

NFO, SUBTITLE = (
    "Dark/Season 01/Dark - S01E01.nfo",
    "Dark/Season 01/Dark - S01E01.de.srt",
)
MOVED = "Other/1.mkv"
BESIDE = {NFO: b"nfo", SUBTITLE: b"srt"}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf whose video has two companions."""
    shelf = make_shelf(tmp_path / "media")
    shelf.bring()
    for name, content in BESIDE.items():
        shelf.write(name, content)
    return shelf


def find(folder: Path, video: str, *others: str) -> list[str]:
    for name in (video, *others):
        (folder / name).write_bytes(b"x")
    return find_companions(str(folder / video))


# Which are its own


def test_companions_have_the_stem_and_a_dot_or_are_its_picture(tmp_path: Path):
    own = ["Show-thumb.jpg", "Show.de.srt", "Show.mkv.nfo", "Show.nfo"]
    others = ["Showy.nfo", "Show-1.jpg", "Show-thumbs"]

    found = find(tmp_path, "Show.mkv", *own, *others)

    assert found == [each.removeprefix("Show") for each in own]


@pytest.mark.parametrize("longer", ["Show.1.mkv", "Show.1.mp4", "Show.1.de.mkv"])
def test_a_companion_is_that_of_the_longest_stem(tmp_path: Path, longer: str):
    own = f"{longer[:-4]}.nfo"

    assert find(tmp_path, "Show.mkv", longer, own, "Show.nfo") == [".nfo"]
    assert find_companions(str(tmp_path / longer)) == [".nfo"]


def test_what_two_videos_share_is_nobodys(tmp_path: Path):
    assert find(tmp_path, "Show.mkv", "Show.mp4", "Show.nfo") == []


def test_only_regular_files_are_companions(tmp_path: Path):
    (tmp_path / "Show.trickplay").mkdir()
    (tmp_path / "Show.nfo").symlink_to(tmp_path / "elsewhere.nfo")

    assert find(tmp_path, "Show.mkv") == []


def test_no_more_than_so_many_go_along(tmp_path: Path, caplog):
    names = [f"Show.{number:03}.jpg" for number in range(MOST + 1)]

    found = find(tmp_path, "Show.mkv", *names)

    assert (len(found), found[-1]) == (MOST, f".{MOST - 1:03}.jpg")
    assert "more than 50 files beside it" in caplog.text


def test_what_is_beside_in_a_folder_that_is_gone_is_nothing(tmp_path: Path):
    assert find_companions(str(tmp_path / "gone" / "Show.mkv")) == []


# They go along


def test_a_move_takes_companions_along(shelf: Shelf):
    operation = shelf.move(MOVED)

    assert shelf.list_files() == {
        MOVED: CONTENT,
        "Other/1.nfo": b"nfo",
        "Other/1.de.srt": b"srt",
    }
    operation.refresh_from_db()
    assert operation.companions == [".de.srt", ".nfo"]


def test_an_undone_move_brings_companions_back(shelf: Shelf):
    undo(shelf.move(MOVED), by=BY)

    assert shelf.list_files() == {PLACE: CONTENT, **BESIDE}


def test_the_trash_takes_companions_along_and_gives_them_back(shelf: Shelf):
    operation = shelf.trash()

    trash = f".aniworld/trash/{operation.pk}/Dark - S01E01"
    assert shelf.list_files() == {
        f"{trash}.mkv": CONTENT,
        f"{trash}.nfo": b"nfo",
        f"{trash}.de.srt": b"srt",
    }
    undo(operation, by=BY)
    assert shelf.list_files() == {PLACE: CONTENT, **BESIDE}


def test_our_own_sidecar_goes_along(shelf: Shelf):
    (shelf.path / NFO).unlink()
    write_sidecars(FileOperation.objects.get())

    shelf.move("Dark/Season 01/1.mkv")

    assert "Dark/Season 01/1.nfo" in shelf.list_files()
    assert NFO not in shelf.list_files()


def test_an_undone_import_takes_nobodys_companions(shelf: Shelf):
    inverse = undo(FileOperation.objects.get(), by=BY)

    assert inverse.companions == []
    assert BESIDE.items() <= shelf.list_files().items()


def test_a_companion_is_never_put_over_another_file(shelf: Shelf, caplog):
    shelf.write("Other/1.nfo", b"another")

    operation = shelf.move(MOVED)

    assert shelf.list_files() == {
        MOVED: CONTENT,
        NFO: b"nfo",
        "Other/1.nfo": b"another",
        "Other/1.de.srt": b"srt",
    }
    operation.refresh_from_db()
    assert (operation.state, operation.companions) == ("done", [".de.srt"])
    assert "Dark - S01E01.nfo stays: File exists" in caplog.text


def test_a_companion_whose_name_would_be_too_long_stays(shelf: Shelf, caplog):
    longest = f"{'x' * 250}.mkv"

    operation = shelf.move(longest)

    assert shelf.list_files() == {
        longest: CONTENT,
        f"{'x' * 250}.nfo": b"nfo",
        SUBTITLE: b"srt",
    }
    assert operation.state == "done"
    assert "Dark - S01E01.de.srt stays: File name too long" in caplog.text


def test_companions_stay_where_the_way_leads_to_another_disk(
    shelf: Shelf, monkeypatch, caplog
):
    put_on_another_disk(monkeypatch)

    shelf.move(MOVED)

    assert shelf.list_files() == {MOVED: CONTENT, **BESIDE}
    assert "stays: Invalid cross-device link" in caplog.text


def test_names_that_are_no_text_go_along(shelf: Shelf):
    odd = os.fsdecode(b".\xff\xfe.srt")
    shelf.write(f"Dark/Season 01/Dark - S01E01{odd}", b"odd")

    operation = FileOperation.objects.get(pk=shelf.move(MOVED).pk)

    assert shelf.list_files()[f"Other/1{odd}"] == b"odd"
    assert to_stored(odd) in operation.companions
    undo(operation, by=BY)
    assert shelf.list_files()[f"Dark/Season 01/Dark - S01E01{odd}"] == b"odd"


def test_a_failed_move_takes_no_companions(shelf: Shelf):
    operation = plan_move(shelf.file, MOVED, by=BY)
    shelf.write(MOVED, b"another")

    with pytest.raises(DomainError, match="something else is there"):
        carry_out(operation)

    assert shelf.list_files() == {PLACE: CONTENT, MOVED: b"another", **BESIDE}


def test_a_companion_that_goes_before_its_video_does_is_no_companion(shelf: Shelf):
    operation = plan_move(shelf.file, MOVED, by=BY)
    (shelf.path / NFO).unlink()

    done = carry_out(operation)

    assert (done.state, done.companions) == ("done", [".de.srt"])


def test_a_disk_that_refuses_a_companion_keeps_no_video(
    shelf: Shelf, monkeypatch, caplog
):
    rename = files._rename_exclusively

    def refuse(source: str, target: str) -> None:
        if source.endswith(".nfo"):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        rename(source, target)

    monkeypatch.setattr(files, "_rename_exclusively", refuse)

    operation = shelf.move(MOVED)

    assert operation.state == "done"
    assert NFO in shelf.list_files()
    assert "Dark - S01E01.nfo stays: Permission denied" in caplog.text


# They are deleted


def test_the_emptied_trash_has_no_companions_left(shelf: Shelf):
    shelf.trash()

    emptied = empty_trash(older_than=timedelta(0))

    assert (emptied, shelf.list_files()) == (1, {})


def test_what_was_deleted_from_the_trash_by_hand_leaves_no_companions(shelf: Shelf):
    operation = shelf.trash()
    Path(operation.target).unlink()

    emptied = empty_trash(older_than=timedelta(0))

    assert (emptied, shelf.list_files()) == (1, {})


def test_emptying_deletes_no_companions_outside_of_the_operations_own_trash(
    shelf: Shelf,
):
    operation = plan_trash(shelf.file, by=BY)
    foreign = shelf.path / ".aniworld/trash/Dark - S01E01"
    FileOperation.objects.filter(pk=operation.pk).update(target=f"{foreign}.mkv")
    carry_out(operation)

    empty_trash(older_than=timedelta(0))

    assert sorted(shelf.list_files()) == [
        ".aniworld/trash/Dark - S01E01.de.srt",
        ".aniworld/trash/Dark - S01E01.nfo",
    ]
