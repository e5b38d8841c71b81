"""What a person can do with files: given other names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode, EpisodeFile, EpisodeFileLink
from aniworld_site.library.services import preview_names, rename_files
from tests.factories import make_episode, make_file, make_root, make_season

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
