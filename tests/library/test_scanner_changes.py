"""What a scan makes of files that were moved, changed or lost since the last one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Scan,
    Series,
)
from tests.library.trees import add, at, counts, numbers, scan, write, write_season

pytestmark = pytest.mark.django_db


def test_a_changed_file_keeps_its_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    link = EpisodeFileLink.objects.order_by("pk").first()
    assert link is not None
    write(tmp_path, str(link.file), size=77)

    ended = scan(root)

    assert counts(ended) == {"updated": 1}
    link.refresh_from_db()
    assert link.file.size_bytes == 77


@pytest.mark.parametrize(
    "new",
    [
        "Dark/Season 01/Dark.S01E01.1080p.mkv",
        "Dark/Season 01/DARK - S01E01.mkv",
        "Dark (2017)/Season 01/Dark - S01E01.mkv",
        "Dark/somewhere else.mkv",
    ],
)
def test_a_renamed_file_keeps_its_links(tmp_path: Path, new: str):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    before = set(EpisodeFileLink.objects.values_list("pk", "episode_id"))
    target = tmp_path / new
    target.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "Dark/Season 01/Dark - S01E01.mkv").rename(target)

    ended = scan(root)

    assert counts(ended) == {"updated": 1, "moved": 1}
    assert set(EpisodeFileLink.objects.values_list("pk", "episode_id")) == before
    assert numbers(at(new)) == ["S01E01"]


def test_a_file_copied_elsewhere_and_deleted_here_keeps_its_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    old, new = (
        tmp_path / "Dark/Season 01/Dark - S01E01.mkv",
        tmp_path / "Dark/Season 1 (remastered)/Dark - S01E01.mkv",
    )
    new.parent.mkdir()
    new.write_bytes(old.read_bytes())
    old.unlink()

    assert counts(scan(root)) == {"updated": 1, "moved": 1}


def test_a_file_that_came_back_keeps_its_links_beside_a_copy(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    path = tmp_path / "Dark/Season 01/Dark - S01E01.mkv"
    row = at("Dark/Season 01/Dark - S01E01.mkv")
    path.rename(tmp_path.parent / "away.mkv")
    gone = scan(root)
    (tmp_path.parent / "away.mkv").rename(path)
    copy = tmp_path / "Archive/Dark - S01E01.mkv"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())

    ended = scan(root)

    assert (counts(gone), counts(ended)) == (
        {"vanished": 1},
        {"added": 1, "updated": 1},
    )
    assert at("Dark/Season 01/Dark - S01E01.mkv").pk == row.pk


def test_a_renamed_series_folder_stays_the_same_series(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    key = Series.objects.get().key
    (tmp_path / "Dark").rename(tmp_path / "Dark (2017)")

    ended = scan(root)

    assert counts(ended) == {"updated": 10, "moved": 10}
    series = Series.objects.get()
    assert (series.key, series.folder) == (key, "Dark (2017)")


def test_a_hard_link_is_a_second_file_and_no_move(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    os.link(
        tmp_path / "Dark/Season 01/Dark - S01E01.mkv",
        tmp_path / "Dark/Season 01/Dark - S01E01 copy.mkv",
    )

    assert counts(scan(root)) == {"added": 1}


def test_an_unmatched_file_is_matched_under_its_new_name(tmp_path: Path):
    write_season(tmp_path, "Dark")
    write(tmp_path, "Dark/what is this.mkv")
    root = add(tmp_path)
    assert counts(scan(root)) == {"added": 11, "unmatched": 1}
    (tmp_path / "Dark/what is this.mkv").rename(
        tmp_path / "Dark/Season 01/Dark - S01E11.mkv"
    )

    scan(root)

    assert numbers(at("Dark/Season 01/Dark - S01E11.mkv")) == ["S01E11"]
    assert not EpisodeFile.objects.unmatched().exists()


def test_few_lost_files_vanish_and_return_with_their_links(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    path = tmp_path / "Dark/Season 01/Dark - S01E10.mkv"
    content, stat = path.read_bytes(), path.stat()
    path.unlink()

    gone = scan(root)
    missing = [str(episode) for episode in Episode.objects.missing()]
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    back = scan(root)

    assert (counts(gone), missing) == ({"vanished": 1}, ["S01E10"])
    assert counts(back) == {"updated": 1}
    assert not Episode.objects.missing().exists()


def test_many_lost_files_are_kept_until_a_person_confirms(tmp_path: Path):
    write_season(tmp_path, "Dark")
    root = add(tmp_path)
    scan(root)
    for number in (1, 2, 3):
        (tmp_path / f"Dark/Season 01/Dark - S01E{number:02}.mkv").unlink()

    held = scan(root)
    present = EpisodeFile.objects.present().count()
    noted = root.held_vanished
    confirmed = scan(root, accepts_vanished=True)

    assert (counts(held), present, noted) == ({"held": 3}, 10, 3)
    assert counts(confirmed) == {"vanished": 3}
    assert (root.held_vanished, root.file_count) == (0, 7)
    assert Episode.objects.missing().count() == 3


@pytest.mark.parametrize("fault", ["gone", "empty", "a file"])
def test_an_offline_root_changes_nothing(tmp_path: Path, fault: str):
    place = tmp_path / "disk"
    write_season(place, "Dark")
    root = add(place)
    scan(root)
    place.rename(tmp_path / "elsewhere")
    if fault == "empty":
        place.mkdir()
    elif fault == "a file":
        place.write_text("no folder")

    ended = scan(root, accepts_vanished=True)
    was_online = root.is_online
    if fault == "empty":
        place.rmdir()
    else:
        place.unlink(missing_ok=True)
    (tmp_path / "elsewhere").rename(place)
    again = scan(root)

    assert (ended.state, was_online) == (Scan.State.FAILED, False)
    assert str(place) in ended.error
    assert EpisodeFile.objects.present().count() == 10
    assert (again.state, counts(again), root.is_online) == (Scan.State.DONE, {}, True)
