"""What the list of a series' episodes knows of each."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aniworld_site.downloads.models import Download, SourceEpisode
from aniworld_site.downloads.selectors import EpisodeRow, list_episode_groups
from aniworld_site.library.models import Episode, EpisodeFileLink, Season
from tests.downloads.factories import make_listed, make_offer, make_source
from tests.factories import make_episode, make_file, make_season, make_series

pytestmark = pytest.mark.django_db
State = Download.State


def fill(season: Season, count: int) -> list[Episode]:
    return Episode.objects.bulk_create(
        Episode(season=season, number=number) for number in range(1, count + 1)
    )


def offer(episode: Episode, **fields: object) -> SourceEpisode:
    listed = make_listed(series=episode.season.series)
    return make_offer(
        listed, **{"episode": episode, "url": "https://a.example/1.mkv", **fields}
    )


def get_row(episode: Episode) -> EpisodeRow:
    groups = list_episode_groups(episode.season.series, ())
    rows = [row for group in groups for row in group.rows]
    return next(row for row in rows if row.cell.pk == episode.pk)


def get_state(row: EpisodeRow) -> str:
    return row.queued.download.state if row.queued is not None else ""


def list_names(series, *shown: str) -> list[tuple[str, int]]:
    """Return the groups' names, with the number of rows in each."""
    groups = list_episode_groups(series, shown)
    return [(group.name, len(group.rows)) for group in groups]


def test_a_row_knows_its_files_and_that_one_holds_others_too():
    season = make_season()
    episode = make_episode(season, number=3)
    make_file(link=episode, name="a.mkv", size_bytes=1_000)
    both = make_file(link=episode, name="b.mkv", size_bytes=500)
    EpisodeFileLink.objects.create(
        file=both, episode=make_episode(season, number=4), how="range", confidence=1
    )

    row = get_row(episode)

    assert (row.tag, row.state, row.size_bytes) == ("S01E03", "several", 1_500)
    assert [(file.name, file.is_shared) for file in row.files] == [
        ("a.mkv", False),
        ("b.mkv", True),
    ]


def test_a_file_that_vanished_is_none_of_the_row():
    episode = make_episode()
    make_file(link=episode, vanished_at="2026-01-01T00:00:00Z")

    assert get_row(episode).files == ()


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "missing"),
        ({"is_wanted": False}, "unwanted"),
        ({"season": 0}, "absent"),
    ],
)
def test_what_is_not_there_is_told_as_in_the_grid(fields, state):
    season = make_season(number=fields.pop("season", 1))

    assert get_row(make_episode(season, **fields)).state == state


@pytest.mark.parametrize("number", [0, 1])
def test_what_a_source_names_without_an_address_is_announced(number):
    episode = make_episode(make_season(number=number))
    offer(episode, url="")

    row = get_row(episode)

    assert (row.state, row.may_queue) == ("announced", False)


def test_what_is_not_wanted_is_not_announced():
    episode = make_episode(is_wanted=False)
    offer(episode, url="")

    assert get_row(episode).state == "unwanted"


def test_the_best_offer_is_shown_and_may_be_queued():
    episode = make_episode()
    offer(episode, url="")
    best = offer(episode, size_bytes=7)

    row = get_row(episode)

    assert (row.offer, row.may_queue) == (best, True)


def test_an_offer_of_a_source_that_is_switched_off_is_none():
    episode = make_episode()
    listed = make_listed(make_source(is_enabled=False), series=episode.season.series)
    make_offer(listed, episode=episode, url="https://a.example/1.mkv")

    row = get_row(episode)

    assert (row.offer, row.may_queue) == (None, False)


@pytest.mark.parametrize("state", State.values)
def test_a_row_shows_what_brings_it_or_did_not(state):
    episode = make_episode()
    offer(episode)
    Download.objects.create(episode=episode, state=state, reason="So it is.")

    row = get_row(episode)

    assert get_state(row) == ("" if state == "done" else state)
    is_live = state not in ("done", "failed", "cancelled")
    assert (row.is_coming, row.may_queue) == (is_live, not is_live)


def test_a_failure_before_a_success_is_forgotten():
    episode = make_episode()
    Download.objects.create(episode=episode, state="failed")
    Download.objects.create(episode=episode, state="done")

    assert get_row(episode).queued is None


def test_what_is_in_the_queue_counts_more_than_a_later_failure():
    episode = make_episode()
    Download.objects.create(episode=episode, state="paused")
    Download.objects.create(episode=episode, state="failed")

    assert get_state(get_row(episode)) == "paused"


def test_a_waiting_row_says_why():
    episode = make_episode()
    Download.objects.create(episode=episode, state="queued")

    row = get_row(episode)

    assert row.queued is not None
    assert row.queued.reason == "Its source was removed."


def test_a_short_series_is_unfolded_with_its_specials_last():
    series = make_series()
    for number in (0, 2, 1):
        fill(make_season(series, number=number), 3)

    assert list_names(series) == [("1", 3), ("2", 3), ("0", 3)]


def test_of_a_longer_series_the_first_season_with_something_missing_is_unfolded():
    series = make_series()
    first, second = make_season(series, number=1), make_season(series, number=2)
    fill(first, 80)
    fill(second, 80)
    first.episodes.update(has_file=True)

    assert list_names(series) == [("1", 0), ("2", 80)]


def test_a_long_season_is_shown_by_the_hundred():
    series = make_series()
    fill(make_season(series), 250)
    Episode.objects.filter(number__lte=100).update(has_file=True)

    groups = list_episode_groups(series, ())

    assert [(group.name, len(group.rows)) for group in groups] == [
        ("1-1", 0),
        ("1-2", 100),
        ("1-3", 0),
    ]
    assert groups[1].season.name == "Season 1, 101 to 200"
    assert groups[2].opens == ["1-2", "1-3"]


def test_what_is_asked_for_is_unfolded():
    series = make_series()
    for number in (1, 2):
        fill(make_season(series, number=number), 80)

    assert list_names(series, "2") == [("1", 0), ("2", 80)]
    assert list_names(series, "1", "2") == [("1", 80), ("2", 80)]


@pytest.mark.parametrize("name", ["", "9", "1-1", "x", "-1"])
def test_a_name_that_is_none_asks_for_nothing(name):
    series = make_series()
    fill(make_season(series), 2)

    assert list_names(series, name) == [("1", 2)]


def test_a_series_without_episodes_has_no_groups():
    assert list_episode_groups(make_series(), ()) == []


def test_queries_do_not_grow_with_episodes_files_offers_and_downloads():
    series = make_series()
    list_episode_groups(series, ())
    counts = []
    for number in (1, 2, 3):
        season = make_season(series, number=number)
        for episode in fill(season, 20 * number):
            offer(episode)
            make_file(link=episode)
            Download.objects.create(episode=episode, state="queued")
        with CaptureQueriesContext(connection) as queries:
            list_episode_groups(series, ())
        counts.append(len(queries))

    assert set(counts) == {8}
