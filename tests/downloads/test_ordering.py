"""The order of the queue: who comes first, and that moving one row writes one row."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aniworld_site.downloads import ordering, services
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.transitions import Wanted, open_downloads
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode, RootFolder, Season, Series
from tests.downloads.factories import make_listed, make_offer
from tests.factories import make_episode, make_root, make_season, make_series

pytestmark = pytest.mark.django_db


def make_seasons(series: Series | None = None, *numbers: int) -> list[Season]:
    series = series or make_series()
    return [make_season(series, number=number) for number in numbers or (1,)]


def add(*episodes: Episode, root: RootFolder | None = None) -> list[Download]:
    root, listed = root or make_root(), make_listed()
    return open_downloads(
        [
            Wanted(episode=each, offer=make_offer(listed, episode=each), root=root)
            for each in episodes
        ],
        by="tests",
    )


def make_queue(count: int) -> list[Download]:
    """Make a queue of one series, in order."""
    [season] = make_seasons()
    return add(*(make_episode(season, number=number + 1) for number in range(count)))


def make_tied_queue(count: int) -> list[Download]:
    downloads = make_queue(count)
    Download.objects.update(position=7)
    return downloads


def list_order(downloads: list[Download]) -> list[int]:
    """Return which of these comes first, second and so on, by their numbers in the list."""
    numbers = {download.pk: number for number, download in enumerate(downloads)}
    pks = Download.objects.live().values_list("pk", flat=True)
    return [numbers[pk] for pk in pks if pk in numbers]


def move(downloads: list[Download], *chosen: int, where: str, **options: Any) -> None:
    rows = Download.objects.filter(pk__in=[downloads[each].pk for each in chosen])
    services.move_downloads(rows, where, **options)


def count_writes(queries: CaptureQueriesContext) -> int:
    return sum(query["sql"].startswith("UPDATE") for query in queries)


def name_order() -> list[str]:
    rows = Download.objects.live().select_related("episode__season__series")
    return [f"{row.episode.season.series} {row.episode}" for row in rows]


# New ones


def test_new_downloads_come_in_the_order_of_their_episodes():
    specials, first, second = make_seasons(make_series(title="Dark"), 0, 1, 2)
    episodes = [
        make_episode(season, number=number)
        for season, number in ((specials, 1), (second, 1), (first, 10), (first, 2))
    ]

    add(*episodes)

    assert name_order() == ["Dark S01E02", "Dark S01E10", "Dark S02E01", "Dark S00E01"]


def test_new_downloads_come_before_later_ones_of_the_same_series():
    [dark] = make_seasons(make_series(title="Dark"), 1)
    [light] = make_seasons(make_series(title="Light"), 1)
    add(make_episode(light, number=1))
    add(make_episode(dark, number=5), make_episode(dark, number=9))
    add(make_episode(light, number=2))

    add(*(make_episode(dark, number=number) for number in (4, 7, 2, 6, 12)))

    assert name_order() == [
        "Light S01E01",
        "Dark S01E02",
        "Dark S01E04",
        "Dark S01E05",
        "Dark S01E06",
        "Dark S01E07",
        "Dark S01E09",
        "Light S01E02",
        "Dark S01E12",
    ]


def test_new_downloads_have_a_place_each():
    [season] = make_seasons()
    add(make_episode(season, number=90))

    add(*(make_episode(season, number=number) for number in range(1, 60)))

    assert Download.objects.values("position").distinct().count() == 60


def test_an_episode_joins_the_queue_once():
    [season] = make_seasons()
    episode = make_episode(season)

    first, second = add(episode, episode), add(episode)

    assert (len(first), second) == (1, [])
    assert Download.objects.count() == 1


# Moves


@pytest.mark.parametrize("make", [make_queue, make_tied_queue])
@pytest.mark.parametrize(
    ("where", "chosen", "order"),
    [
        ("top", [3], [3, 0, 1, 2, 4]),
        ("top", [4, 2], [2, 4, 0, 1, 3]),
        ("bottom", [1], [0, 2, 3, 4, 1]),
        ("bottom", [3, 0], [1, 2, 4, 0, 3]),
        ("up", [3], [0, 1, 3, 2, 4]),
        ("up", [0], [0, 1, 2, 3, 4]),
        ("up", [2, 3], [0, 2, 3, 1, 4]),
        ("up", [0, 1], [0, 1, 2, 3, 4]),
        ("up", [0, 2], [0, 2, 1, 3, 4]),
        ("down", [1], [0, 2, 1, 3, 4]),
        ("down", [4], [0, 1, 2, 3, 4]),
        ("down", [1, 2], [0, 3, 1, 2, 4]),
        ("down", [3, 4], [0, 1, 2, 3, 4]),
    ],
)
def test_downloads_move_and_keep_their_order(make, where, chosen, order):
    downloads = make(5)

    move(downloads, *chosen, where=where)

    assert list_order(downloads) == order


@pytest.mark.parametrize("make", [make_queue, make_tied_queue])
@pytest.mark.parametrize(
    ("chosen", "before", "order"),
    [
        ([4], 1, [0, 4, 1, 2, 3]),
        ([0], 3, [1, 2, 0, 3, 4]),
        ([2], 0, [2, 0, 1, 3, 4]),
        ([1, 4], 3, [0, 2, 1, 4, 3]),
        ([2], 2, [0, 1, 2, 3, 4]),
        ([1, 2], 2, [0, 1, 2, 3, 4]),
    ],
)
def test_downloads_move_before_another(make, chosen, before, order):
    downloads = make(5)

    move(downloads, *chosen, where="before", before=downloads[before])

    assert list_order(downloads) == order


@pytest.mark.parametrize("where", ["top", "bottom", "up", "down"])
def test_a_move_writes_one_row(where: str):
    downloads = make_queue(30)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        move(downloads, 15, where=where)

    assert count_writes(queries) == 1


def test_a_move_before_another_writes_one_row():
    downloads = make_queue(30)

    with CaptureQueriesContext(connection) as queries:
        move(downloads, 20, where="before", before=downloads[3])

    assert count_writes(queries) == 1


def test_many_moves_into_the_same_gap_keep_the_order():
    downloads = make_queue(6)

    for turn in range(80):
        move(downloads, 4 + turn % 2, where="before", before=downloads[1])

    assert list_order(downloads) == [0, 4, 5, 1, 2, 3]


@pytest.mark.parametrize("where", ["", "sideways", "before"])
def test_a_place_that_is_none_is_refused(where: str):
    with pytest.raises(DomainError, match="Expected top, bottom, up, down or before"):
        move(make_queue(1), 0, where=where)


def test_what_has_ended_is_not_moved():
    downloads = make_queue(2)
    Download.objects.filter(pk=downloads[1].pk).update(state=Download.State.DONE)

    move(downloads, 1, where="top")

    downloads[1].refresh_from_db()
    assert downloads[1].position > downloads[0].position


def test_the_end_is_behind_everything():
    assert ordering.take_last_place() == ordering.GAP
    downloads = make_queue(2)

    assert ordering.take_last_place() == downloads[1].position + ordering.GAP
