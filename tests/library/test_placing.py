"""Where a new file of an episode goes."""

from __future__ import annotations

import pytest

from aniworld_site.library.destinations import DEFAULT_TEMPLATE
from aniworld_site.library.placing import choose_place
from tests.factories import make_episode, make_file, make_root, make_season, make_series

pytestmark = pytest.mark.django_db


def place(episode, root) -> str:
    return choose_place(episode, root, template=DEFAULT_TEMPLATE, extension=".mkv")


def test_a_new_series_gets_a_folder_by_the_template():
    season = make_season(make_series(title="Dark", year=2017))

    found = place(make_episode(season, number=3, title="Lies"), make_root())

    assert found == "Dark (2017)/Season 01/Dark - S01E03 - Lies.mkv"


def test_a_series_that_has_a_folder_stays_in_it():
    root = make_root()
    season = make_season(make_series(title="Dark", folder_in=root))
    season.series.folders.update(name="Dark [tvdb-334824]")

    assert place(make_episode(season, number=3), root).startswith(
        "Dark [tvdb-334824]/Season 01/"
    )


def test_a_season_goes_where_most_of_it_is():
    root = make_root()
    season = make_season(make_series(title="Dark"))
    make_file(root=root, folder="Dark/S1", link=make_episode(season, number=1))

    assert place(make_episode(season, number=2), root) == "Dark/S1/Dark - S01E02.mkv"


def test_a_series_whose_name_scans_pass_over_gets_another():
    season = make_season(make_series(title="Extras"))

    found = place(make_episode(season, number=1), make_root())

    assert found.startswith("Extras_/Season 01/")
