"""What a person can do with files: given other names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library.journal import carry_out, plan_trash
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
)
from aniworld_site.library.services import (
    Renaming,
    preview_names,
    rename_files,
    trash_files,
    undo_operation,
)
from tests.factories import make_episode, make_file, make_root, make_season
from tests.library.shelves import make_shelf

pytestmark = pytest.mark.django_db

ODD = os.fsdecode(b"Dark \xff")


def test_a_clash_of_names_that_are_no_text_is_told_in_text(tmp_path: Path):
    root, season = make_root(path=str(tmp_path)), make_season()
    (tmp_path / ODD).mkdir()
    for number in (1, 2):
        name = f"{number}.mkv"
        (tmp_path / ODD / name).write_bytes(b"x")
        episode = make_episode(season, number=number, absolute_number=7)
        make_file(root=root, folder=ODD, name=name, link=episode)
    renamings = preview_names(season.series, "{absolute}")

    with pytest.raises(DomainError, match="would be the name of two files") as refused:
        rename_files(renamings, by="keeper")

    assert str(refused.value).startswith("Dark \ufffd/7.mkv")
    assert sorted(EpisodeFile.objects.values_list("name", flat=True)) == [
        "1.mkv",
        "2.mkv",
    ]


@pytest.mark.parametrize("count", [2, 1100])
def test_a_preview_takes_two_queries_whatever_the_number_of_files(
    count: int, django_assert_num_queries
):
    root, season = make_root(), make_season()
    episodes = Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(1, count + 1)
    )
    files = EpisodeFile.objects.bulk_create(
        EpisodeFile(
            root=root,
            name=f"{number}.mkv",
            size_bytes=1,
            mtime_ns=1,
            match="linked",
            series=season.series,
        )
        for number in range(1, count + 1)
    )
    EpisodeFileLink.objects.bulk_create(
        EpisodeFileLink(file=file, episode=episode, how="number", confidence=1.0)
        for file, episode in zip(files, episodes, strict=True)
    )

    with django_assert_num_queries(2):
        renamings = preview_names(season.series, "{episode:05}")

    assert len(renamings) == count
    assert {each.new for each in renamings} >= {"00001.mkv", f"{count:05}.mkv"}


def make_files(
    folder: Path, *names: str
) -> tuple[Callable[[str, str], Renaming], Callable[[], dict[str, str]]]:
    """Have videos, each with an `.nfo` that tells its name; return how one is renamed, and what is told by now."""
    root, season = make_root(path=str(folder)), make_season()
    known = {}
    for number, name in enumerate(names, start=1):
        (folder / name).write_text(name)
        (folder / name).with_suffix(".nfo").write_text(f"of {name}")
        episode = make_episode(season, number=number)
        known[name] = make_file(
            root=root, name=name, size_bytes=len(name), link=episode
        )

    def rename(old: str, new: str) -> Renaming:
        return Renaming(file=known[old], old=old, new=new)

    def read() -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.glob("[0-9]*")}

    return rename, read


@pytest.mark.parametrize("extension", ["mkv", "mp4"])
def test_names_that_go_round_in_a_circle_take_companions_along(
    tmp_path: Path, extension: str
):
    first, second, third = "1.mkv", f"2.{extension}", "2.1.mkv"
    rename, read = make_files(tmp_path, first, second, third)

    rename_files(
        [
            rename(first, "2.mkv"),
            rename(second, f"2.1.{extension}"),
            rename(third, "1.mkv"),
        ],
        by="keeper",
    )

    assert read() == {
        "2.mkv": first,
        "2.nfo": f"of {first}",
        f"2.1.{extension}": second,
        "2.1.nfo": f"of {second}",
        "1.mkv": third,
        "1.nfo": f"of {third}",
    }


def test_a_name_waits_until_its_companions_are_free(tmp_path: Path):
    rename, read = make_files(tmp_path, "1.mkv", "2.mp4")

    done = rename_files(
        [rename("1.mkv", "2.mkv"), rename("2.mp4", "3.mp4")], by="keeper"
    )

    assert len(done) == 2
    assert read() == {
        "2.mkv": "1.mkv",
        "2.nfo": "of 1.mkv",
        "3.mp4": "2.mp4",
        "3.nfo": "of 2.mp4",
    }


def test_a_second_click_on_trash_leaves_nothing_failed(tmp_path: Path):
    shelf = make_shelf(tmp_path)
    shelf.bring()
    first = plan_trash(shelf.file, by="keeper")

    with pytest.raises(DomainError, match="in the trash already, or on its way"):
        trash_files([shelf.file], by="keeper")
    carry_out(first)
    with pytest.raises(DomainError, match="in the trash already, or on its way"):
        trash_files([shelf.file], by="keeper")

    trashed = FileOperation.objects.filter(kind=FileOperation.Kind.TRASH)
    assert [each.state for each in trashed] == [FileOperation.State.DONE]


def test_what_came_in_place_of_what_was_trashed_can_be_trashed(tmp_path: Path):
    shelf = make_shelf(tmp_path)
    for _twice in range(2):
        shelf.bring()
        trash_files([shelf.file], by="keeper")

    trashed = FileOperation.objects.filter(kind=FileOperation.Kind.TRASH)
    assert [each.state for each in trashed] == [FileOperation.State.DONE] * 2


def test_what_was_put_back_can_be_trashed_again(tmp_path: Path):
    shelf = make_shelf(tmp_path)
    shelf.bring()
    undo_operation(shelf.trash(), by="keeper")

    [trashed] = trash_files([shelf.file], by="keeper")

    assert trashed.state == FileOperation.State.DONE
