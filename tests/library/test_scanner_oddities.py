"""What a scan makes of trees that are not as trees should be."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from aniworld_site.library import walking
from aniworld_site.library.models import (
    EpisodeFile,
    Scan,
)
from tests.library.trees import add, counts, scan, write, write_season

pytestmark = pytest.mark.django_db


def test_an_unreadable_folder_is_told_and_its_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark")
    write_season(tmp_path, "Light", episodes=30)
    root = add(tmp_path)
    scan(root)
    real = os.scandir

    def refuse(path: str):
        if "Dark" in path:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    ended = scan(root)

    assert (ended.state, counts(ended)) == (Scan.State.DONE, {})
    assert ended.problems == ["Dark could not be read: Permission denied."]


def test_a_file_that_vanishes_while_it_is_read_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    real = walking.Walk._add_file

    def vanish(self, listing, entry):
        if entry.name.endswith("E05.mkv"):
            Path(entry.path).unlink()
        real(self, listing, entry)

    monkeypatch.setattr(walking.Walk, "_add_file", vanish)
    ended = scan(root)

    assert (ended.state, counts(ended), ended.problems) == (
        Scan.State.DONE,
        {"added": 9},
        [],
    )


def test_links_that_loop_are_followed_to_an_end(tmp_path: Path):
    library, outside = tmp_path / "library", tmp_path / "outside"
    write_season(library, "Dark", episodes=3)
    write_season(outside, "Light", episodes=2)
    (library / "Dark" / "self").symlink_to(library)
    (library / "Dark" / "up").symlink_to(tmp_path)
    (library / "Light").symlink_to(outside / "Light")
    (outside / "Light" / "round").symlink_to(outside / "Light")
    (library / "nowhere").symlink_to(tmp_path / "nothing")
    (library / "Dark" / "broken.mkv").symlink_to(tmp_path / "nothing.mkv")

    ended = scan(add(library))

    assert (ended.state, ended.added, ended.problems) == (Scan.State.DONE, 5, [])


def test_odd_file_names_survive(tmp_path: Path):
    odd = [
        os.fsdecode(b"Dark/Season 01/Dark \xff\xfe - S01E01.mkv"),
        unicodedata.normalize("NFD", "Dark/Season 01/Därk - S01E02.mkv"),
        unicodedata.normalize("NFC", "Dark/Season 01/Därk - S01E02.mkv"),
        "Dark/Season 01/Dark\nnew line - S01E03.mkv",
        "Dark/Season 01/<img src=x onerror=alert(1)> - S01E04.mkv",
        f"Dark/Season 01/{'x' * 240} S01E05.mkv",
    ]
    write(tmp_path, *odd)
    root = add(tmp_path)

    first, second = scan(root), scan(root)

    assert (first.state, first.added) == (Scan.State.DONE, 6)
    assert (second.state, counts(second).get("added")) == (Scan.State.DONE, None)
    assert {str(file) for file in EpisodeFile.objects.all()} == set(odd)


def test_an_undecodable_root_works(tmp_path: Path):
    place = tmp_path / os.fsdecode(b"disk \xff")
    write_season(place, "Dark", episodes=2)

    assert scan(add(place)).added == 2


def test_special_files_are_passed_over(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=1)
    os.mkfifo(tmp_path / "Dark" / "pipe.mkv")
    (tmp_path / "Dark" / "folder.mkv").mkdir()

    assert scan(add(tmp_path)).added == 1


def test_ignored_folders_are_not_read(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=1)
    write(
        tmp_path,
        "Dark/@eaDir/Dark - S01E02.mkv",
        "Dark/Extras/Dark - S01E03.mkv",
        ".hidden/Dark - S01E04.mkv",
        "Other/Season 01/Other - S01E01.mkv",
    )
    (tmp_path / "Other" / ".ignore").touch()

    assert scan(add(tmp_path)).added == 1
