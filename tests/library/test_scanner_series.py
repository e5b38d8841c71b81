"""Which series a scan takes a folder for."""

from __future__ import annotations

from pathlib import Path

import pytest

from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Scan,
    Series,
    SeriesFolder,
)
from tests.library.trees import add, counts, scan, write, write_season

pytestmark = pytest.mark.django_db


def test_ids_in_tvshow_nfo_win(tmp_path: Path):
    known = Series.objects.create(
        key="attack-on-titan",
        title="Attack on Titan",
        sort_title="attack on titan",
        match_key="attack on titan",
        year=2013,
        ids={"tvdb": "267440"},
    )
    write_season(tmp_path, "Shingeki no Kyojin", episodes=2)
    (tmp_path / "Shingeki no Kyojin" / "tvshow.nfo").write_text(
        "<tvshow><title>x</title><uniqueid type='tvdb'>267440</uniqueid></tvshow>"
    )

    scan(add(tmp_path))

    assert SeriesFolder.objects.get().series == known
    assert Series.objects.count() == 1


def test_a_later_nfo_moves_the_folder_to_the_series_it_names(tmp_path: Path):
    write_season(tmp_path, "Shingeki no Kyojin", episodes=2)
    root = add(tmp_path)
    scan(root)
    known = Series.objects.create(
        key="aot",
        title="Attack on Titan",
        sort_title="a",
        match_key="attack on titan",
        ids={"tvdb": "267440"},
    )
    (tmp_path / "Shingeki no Kyojin" / "tvshow.nfo").write_text(
        "<tvshow><uniqueid type='tvdb'>267440</uniqueid></tvshow>"
    )

    scan(root)

    assert SeriesFolder.objects.get().series == known
    assert set(EpisodeFile.objects.values_list("series__key", flat=True)) == {"aot"}
    assert set(
        EpisodeFileLink.objects.values_list("episode__season__series__key", flat=True)
    ) == {"aot"}


def test_a_hostile_nfo_is_told_and_not_used(tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=2)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tvshow><uniqueid type="tvdb">&b;</uniqueid></tvshow>'
    (tmp_path / "Dark" / "tvshow.nfo").write_text(bomb)

    ended = scan(add(tmp_path))

    assert ended.state == Scan.State.DONE
    assert "tvshow.nfo is not used" in ended.problems[0]


def test_series_of_one_title_and_two_years_are_two(tmp_path: Path):
    write_season(tmp_path, "Fruits Basket (2001)", episodes=2)
    write_season(tmp_path, "Fruits Basket (2019)", episodes=2)

    scan(add(tmp_path))

    assert sorted(Series.objects.values_list("key", "year")) == [
        ("fruits-basket", 2001),
        ("fruits-basket-2019", 2019),
    ]


def test_the_same_series_in_two_roots_is_one(tmp_path: Path):
    write_season(tmp_path / "a", "Dark (2017)", season=1, episodes=2)
    write_season(tmp_path / "b", "Dark (2017)", season=2, episodes=2)

    scan(add(tmp_path / "a", "a"))
    scan(add(tmp_path / "b", "b"))

    assert Series.objects.count() == 1
    assert sorted(
        str(episode) for episode in Episode.objects.select_related("season")
    ) == ["S01E01", "S01E02", "S02E01", "S02E02"]


def test_a_folder_of_several_series_is_left_to_a_person(tmp_path: Path):
    write(
        tmp_path,
        "Downloads/Dark - S01E01.mkv",
        "Downloads/Light - S01E01.mkv",
        "Downloads/Grey - S02E03.mkv",
    )

    ended = scan(add(tmp_path))

    assert counts(ended) == {"added": 3, "unmatched": 3}
    assert not Series.objects.exists()
    assert "several series" in SeriesFolder.objects.get().reason


def test_files_in_the_root_itself_are_told_apart_by_their_titles(tmp_path: Path):
    write(
        tmp_path,
        "Dark - S01E01.mkv",
        "Dark - S01E02.mkv",
        "Light - S01E01.mkv",
        "holiday.mkv",
    )

    ended = scan(add(tmp_path))

    assert counts(ended) == {"added": 4, "unmatched": 1}
    assert sorted(Series.objects.values_list("key", flat=True)) == ["dark", "light"]
