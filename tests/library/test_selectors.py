"""Reads of the library: what they find, in which order, and that their queries do not grow with the rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aniworld_site.library import selectors
from aniworld_site.library.models import Scan, SeriesFolder
from tests.factories import (
    make_episode,
    make_file,
    make_root,
    make_scan,
    make_season,
    make_series,
)

pytestmark = pytest.mark.django_db


def count_queries(call):
    with CaptureQueriesContext(connection) as queries:
        call()
    return len(queries)


def titles(**wanted):
    return [series.title for series in selectors.list_series(**wanted)]


def test_totals_count_regular_wanted_absent_episodes_as_missing():
    season = make_season()
    make_file(link=make_episode(season))
    make_episode(season)
    make_episode(season, is_wanted=False)
    make_episode(make_season(season.series, number=0))

    totals = selectors.get_totals()

    assert (totals.series, totals.episodes, totals.have, totals.missing) == (1, 4, 1, 1)


def test_list_series_finds_every_word_in_any_order_and_case():
    make_series(title="The Long Orchard", year=2009)
    make_series(title="Orchard Lane", year=2010)

    assert titles(text="orchard LONG") == ["The Long Orchard"]
    assert titles(text="orchard 2010") == ["Orchard Lane"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'"])
def test_list_series_takes_wildcards_for_what_they_are(text):
    make_series(title="Plain", key="plain")
    make_series(title=f"Odd {text}", key="odd")

    assert titles(text=text) == [f"Odd {text}"]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("", ["Empty", "Full", "Lacking", "Left"]),
        ("monitored", ["Empty", "Full", "Lacking"]),
        ("unmonitored", ["Left"]),
        ("missing", ["Lacking", "Left"]),
        ("complete", ["Full"]),
        ("nonsense", ["Empty", "Full", "Lacking", "Left"]),
    ],
)
def test_list_series_filters(only, expected):
    make_series(title="Empty")
    make_file(link=make_episode(make_season(make_series(title="Full"))))
    make_episode(make_season(make_series(title="Lacking")))
    make_episode(make_season(make_series(title="Left", is_monitored=False)))

    assert titles(only=only) == expected


def test_list_series_by_root_names_a_series_of_two_folders_once():
    root, other = make_root(), make_root()
    here = make_series(title="Here", folder_in=root)
    SeriesFolder.objects.create(root=root, name="A second folder", series=here)
    make_series(title="Elsewhere", folder_in=other)

    assert titles(root_id=root.pk) == ["Here"]


def test_list_series_sorts():
    first = make_series(title="B", year=2001)
    second = make_series(title="A")
    third = make_series(title="C", year=2020)
    for lacks, series in ((1, first), (3, third)):
        season = make_season(series)
        for _ in range(lacks):
            make_episode(season)

    assert titles(sort="title") == ["A", "B", "C"]
    assert titles(sort="missing") == ["C", "B", "A"]
    assert titles(sort="year") == ["C", "B", "A"]
    assert titles(sort="-added") == ["C", "A", "B"]
    assert titles(sort="nonsense") == ["A", "B", "C"]
    assert second.year is None


def test_add_counts_keeps_the_order_in_one_query(django_assert_num_queries):
    season = make_season(make_series(title="Z"))
    make_episode(season)
    rows = [season.series, make_series(title="A")]

    with django_assert_num_queries(1):
        counted = selectors.add_counts(rows)

    assert [series.title for series in counted] == ["Z", "A"]
    assert counted[0].missing_count == 1


@pytest.mark.parametrize(
    "text",
    [
        "attack-on-titan",
        "Attack on Titan",
        "attack on titan (2013)",
        " ATTACK-ON-TITAN ",
    ],
)
def test_find_series_by_key_or_title(text):
    series = make_series(key="attack-on-titan", title="Attack on Titan", year=2013)

    assert selectors.find_series(text) == [series]


def test_find_series_returns_all_that_could_be_meant():
    make_series(title="Echo", key="echo-1999", year=1999)
    make_series(title="Echo", key="echo-2020", year=2020)

    assert len(selectors.find_series("Echo")) == 2
    assert [series.year for series in selectors.find_series("Echo (2020)")] == [2020]


def test_list_seasons_gives_each_episode_its_state_and_specials_last():
    series = make_series()
    specials, season = make_season(series, number=0), make_season(series, number=1)
    make_episode(specials, number=1)
    twice = make_episode(season, number=1)
    make_file(link=twice)
    make_file(link=twice)
    make_file(link=make_episode(season, number=2))
    make_episode(season, number=3)
    make_episode(season, number=4, is_wanted=False)
    make_episode(season, number=4, label="4.5")

    regular, special = selectors.list_seasons(series)

    assert [(cell.text, cell.state) for cell in regular.cells] == [
        ("1", "several"),
        ("2", "there"),
        ("3", "missing"),
        ("4", "unwanted"),
        ("4.5", "missing"),
    ]
    assert (regular.have, regular.missing) == (2, 2)
    assert [cell.state for cell in special.cells] == ["absent"]


def test_list_seasons_takes_two_queries_whatever_their_size(django_assert_num_queries):
    series = make_series()
    for number in range(3):
        season = make_season(series, number=number)
        for _ in range(4):
            make_file(link=make_episode(season))

    with django_assert_num_queries(2):
        selectors.list_seasons(series)


def list_unmatched_of(series):
    found = selectors.get_series(series.key)
    assert found is not None
    return selectors.list_series_unmatched(found)


def test_list_series_unmatched_finds_files_in_its_folders_only():
    root = make_root()
    series = make_series(folder_in=root, title="Show")
    inside = make_file(root=root, folder="Show/Season 1")
    known = make_file(root=root, folder="elsewhere", series=series)
    make_file(root=root, folder="Show 2")
    make_file(root=make_root(), folder="Show")

    found = list_unmatched_of(series)

    assert {file.pk for file in found} == {inside.pk, known.pk}


def test_list_roots_tells_the_last_scan_from_the_active_one():
    root = make_root()
    make_scan(root)
    ended = make_scan(root, state=Scan.State.FAILED)
    active = make_scan(root, state=Scan.State.RUNNING)
    make_file(root=root)

    (state,) = selectors.list_roots()

    assert (state.last_scan, state.active_scan, state.unmatched) == (ended, active, 1)


def test_list_notices_puts_what_was_held_back_first():
    make_file(root=make_root(name="B", is_online=False))
    make_root(name="C", held_vanished=9)
    make_scan(make_root(name="A"), state=Scan.State.FAILED)

    assert [notice.kind for notice in selectors.list_notices()] == [
        "held",
        "offline",
        "failed",
        "unmatched",
    ]


def test_list_arrivals_takes_neighbours_of_one_series_together():
    season = make_season()
    make_file()
    for number in (1, 2, 3):
        make_file(link=make_episode(season, number=number))

    newest, oldest = selectors.list_arrivals()

    assert (newest.series, newest.count, newest.labels) == (
        season.series,
        3,
        "S01E01 to S01E03",
    )
    assert oldest.series is None


def test_group_unmatched_groups_by_the_folder_under_the_root():
    root = make_root()
    series = make_series(folder_in=root, title="Known")
    make_file(root=root, folder="Known/Season 1")
    make_file(root=root, folder="Known/Season 2", facts={"title": "Said", "year": 2001})
    make_file(root=root, folder="New")
    make_file(root=root, folder="")

    groups = selectors.group_unmatched(selectors.list_unmatched())

    assert [(group.name, len(group.files), group.series) for group in groups] == [
        ("", 1, None),
        ("Known", 2, series),
        ("New", 1, None),
    ]
    assert [(group.title, group.year) for group in groups] == [
        ("", None),
        ("Said", 2001),
        ("New", None),
    ]


def fill(times):
    for _ in range(times):
        root = make_root(is_online=False)
        season = make_season(make_series(folder_in=root))
        make_file(root=root, link=make_episode(season))
        make_file(root=root, folder=season.series.title)
        make_scan(root)


@pytest.mark.parametrize(
    "read",
    [
        selectors.get_totals,
        selectors.list_roots,
        selectors.list_notices,
        selectors.list_arrivals,
        selectors.list_new_series,
        selectors.list_active_scans,
        lambda: selectors.group_unmatched(selectors.list_unmatched()),
        lambda: selectors.add_counts(
            selectors.list_series(sort="missing", only="missing")
        ),
    ],
)
def test_queries_do_not_grow_with_rows(read):
    fill(1)
    few = count_queries(read)
    fill(5)

    assert count_queries(read) == few


def test_list_series_unmatched_finds_files_below_an_undecodable_folder():
    root = make_root()
    series = make_series()
    SeriesFolder.objects.create(root=root, name="Odd \udcff", series=series)
    inside = make_file(root=root, folder="Odd \udcff/Season 1")

    assert list_unmatched_of(series) == [inside]
