"""What names say: seasons, episodes, absolute numbers, days, and names that are no episode."""

from __future__ import annotations

import pytest

from aniworld_site.library.naming import parse_path
from tests.library.naming_cases import ALL, EXTRA, NUMBERLESS, Case


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_name_is_read_exactly(case: Case):
    parsed = parse_path(case.name)

    assert parsed.episodes == case.episodes
    assert parsed.absolute == case.absolute
    assert parsed.season == case.season or not case.episodes
    assert parsed.label == case.label
    assert (parsed.date and parsed.date.isoformat()) == case.date


def test_of_links_made_without_asking_at_most_one_in_a_hundred_is_wrong():
    sure = [(case, parsed) for case in ALL if (parsed := parse_path(case.name)).is_sure]
    wrong = [case.name for case, parsed in sure if parsed.episodes != case.episodes]

    assert len(sure) > len(ALL) / 2
    assert len(wrong) <= len(sure) / 100, wrong


@pytest.mark.parametrize("name", EXTRA)
def test_extras_are_no_episodes(name: str):
    parsed = parse_path(name)

    assert parsed.kind == "extra"
    assert not parsed.is_sure
    assert parsed.findings["kind"].reason


@pytest.mark.parametrize("case", NUMBERLESS, ids=lambda case: case.name)
def test_a_name_without_number_is_unknown(case: Case):
    parsed = parse_path(case.name)

    assert parsed.kind == "unknown"
    assert not parsed.is_sure


def test_an_episode_called_trailer_is_an_episode():
    assert parse_path("Show/Show - S01E01 - The Trailer.mkv").kind == "episode"


def test_a_sample_says_which_episode_it_is_of():
    parsed = parse_path("Show.S01E04.720p-grp-sample.mkv")

    assert (parsed.kind, parsed.season, parsed.episodes) == ("extra", 1, (4,))


@pytest.mark.parametrize(
    ("path", "title", "year"),
    [
        ("Show (2013)/Season 01/Other - S01E01.mkv", "Show", 2013),
        ("Show.2010.S02E14.HDTV.mkv", "Show", 2010),
        ("Show_Name_-_12_[720p].mkv", "Show Name", None),
        ("[Group] Show Name - 12 [720p].mkv", "Show Name", None),
        ("Show S2 - 12.mkv", "Show", None),
        ("C:\\Films\\Show (2003)\\Season 3\\S03E05.mkv", "Show", 2003),
        ("Series 2 (2001)/Series 2 - S01E01.mkv", "Series 2", 2001),
        ("The 100/Season 1/The 100 - S01E01.mkv", "The 100", None),
        ("9-1-1/Season 1/9-1-1 - S01E02.mkv", "9-1-1", None),
        ("Season 01/Show - S01E01.mkv", "Show", None),
        ("Show: Second Name | Other/01.mkv", "Show: Second Name | Other", None),
    ],
)
def test_the_title_is_the_series_folders_else_the_names_own(
    path: str, title: str, year: int | None
):
    parsed = parse_path(path)

    assert (parsed.title, parsed.year) == (title, year)


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("Show (2013) [tvmaze-123]/Show - S01E01.mkv", "ids", {"tvmaze": "123"}),
        ("Show {tvdb-267440}/Show - S01E01.mkv", "ids", {"tvdb": "267440"}),
        ("Show [tmdbid=12]/Show - S01E01.mkv", "ids", {"tmdb": "12"}),
        ("Show {imdb-tt1234567}/Show - S01E01.mkv", "ids", {"imdb": "tt1234567"}),
        ("[Group] Show - 12v2 [1080p].mkv", "version", 2),
        ("Show - S01E02v3.mkv", "version", 3),
        ("[Group] Show - 12 [v2][1080p].mkv", "version", 2),
        ("Show - S01E02 - Title.mkv", "version", 1),
        ("Show - S01E02 part 2.mkv", "part", 2),
        ("[Group] Show - 12 [1080p].mkv", "group", "Group"),
        ("Show.S01E02.1080p.WEB.H264-GRP.mkv", "group", "GRP"),
        ("Show S01E01-E03.mkv", "group", None),
        ("Show - S01E02 [720p].mkv", "resolution", "720p"),
        ("[Group] Show - 12 (1920x1080).mkv", "resolution", "1920x1080"),
        ("Show.S01E02.2160p.mkv", "resolution", "2160p"),
        ("[G] Show.2010.S01E01.001.HDTV-720p", "absolute", (1,)),
    ],
)
def test_what_else_a_name_says(path: str, field: str, value: object):
    assert getattr(parse_path(path), field) == value


@pytest.mark.parametrize(
    "path",
    [
        "Show/Season 01/Show - S01E02.mkv",
        "Show/Show - 1x02.mkv",
        "Show/Season 02/Show - 12.mkv",
        "Show/Season 1/103.mkv",
        "Show/12.mkv",
        "[Group] Show - 12 (1080p) [ABCD1234].mkv",
    ],
)
def test_what_is_plain_is_sure(path: str):
    assert parse_path(path).is_sure


@pytest.mark.parametrize(
    "path",
    [
        "Show/Season 02/Show S01E03.mkv",
        "Show/103.mkv",
        "Show.103.hdtv-grp.mkv",
        "Show - 101-103.mkv",
        "[Group]_Show_2_-_Pilot_[650B731B].mkv",
        "Show.S01E05E09.mkv",
        "Show 05.06.2014.mkv",
        "Apollo 13 (1995).mkv",
        "Show.S01E01-E10.Complete/abc.mkv",
    ],
)
def test_what_can_be_read_two_ways_is_left_to_a_person(path: str):
    parsed = parse_path(path)

    assert not parsed.is_sure
    assert parsed.confidence < 0.85


@pytest.mark.parametrize(
    ("is_anime", "season", "episodes"),
    [(True, None, (103,)), (False, 1, (3,)), (None, 1, (3,))],
)
def test_three_digits_depend_on_the_kind_of_series(
    is_anime: bool | None,  # noqa: FBT001 - a parameter of the table
    season: int | None,
    episodes: tuple[int, ...],
):
    parsed = parse_path("Show/Show 103.mkv", is_anime=is_anime)

    assert (parsed.season, parsed.episodes) == (season, episodes)


def test_every_reading_has_its_reason():
    parsed = parse_path("Show (2013)/Season 01/[G] Show - S01E02 [720p].mkv")

    assert set(parsed.findings) == {
        "title", "year", "season", "episodes", "group", "resolution",
    }  # fmt: skip
    assert parsed.findings["episodes"].reason == (
        "The name says season 1, episode 2 (SxxEyy)."
    )
    assert all(finding.reason.endswith(".") for finding in parsed.findings.values())
