"""`.nfo` files: what is in them, where they are left alone, and that they go with what they describe."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from aniworld_site.library.models import FileOperation
from aniworld_site.library.sidecars import write_sidecars
from aniworld_site.library.undoing import undo
from tests.library.shelves import BY, CONTENT, PLACE, Shelf, make_shelf

pytestmark = pytest.mark.django_db

EPISODE, SERIES = "Dark/Season 01/Dark - S01E01.nfo", "Dark/tvshow.nfo"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path / "media")


def test_sidecars_say_what_the_file_holds(shelf: Shelf):
    shelf.episode.title = "Secrets & <Lies>\x0b"
    shelf.episode.save()
    series = shelf.episode.season.series
    series.year, series.ids = 2017, {"tvdb": "334824"}
    series.save()
    operation = shelf.bring()

    written = write_sidecars(operation)

    assert written == [str(shelf.path / EPISODE)]
    episode = ElementTree.parse(shelf.path / EPISODE).getroot()  # noqa: S314  # Our own.
    assert {field.tag: field.text for field in episode} == {
        "title": "Secrets & <Lies>\ufffd",
        "showtitle": "Dark",
        "season": "1",
        "episode": "1",
    }
    tvshow = ElementTree.parse(shelf.path / SERIES).getroot()  # noqa: S314  # Our own.
    assert {field.tag: field.text for field in tvshow} == {
        "title": "Dark",
        "year": "2017",
        "uniqueid": "334824",
    }
    operation.refresh_from_db()
    assert operation.sidecars == written


def test_sidecars_are_never_written_over_others(shelf: Shelf):
    shelf.write(EPISODE, b"by hand")
    shelf.write(SERIES, b"by hand")

    written = write_sidecars(shelf.bring())

    assert written == []
    assert shelf.list_files() == {
        PLACE: CONTENT,
        EPISODE: b"by hand",
        SERIES: b"by hand",
    }


def test_an_undone_import_takes_its_own_sidecar_along_and_leaves_the_series(
    shelf: Shelf,
):
    operation = shelf.bring()
    write_sidecars(operation)

    undo(FileOperation.objects.get(pk=operation.pk), by=BY)

    # Other episodes are described by it, too.
    left = shelf.list_files()
    assert SERIES in left
    assert EPISODE not in left
    assert CONTENT in left.values()


def test_an_undone_import_leaves_the_sidecars_of_others(shelf: Shelf):
    shelf.write(SERIES, b"by hand")
    operation = shelf.bring()
    write_sidecars(operation)

    undo(operation, by=BY)

    assert shelf.list_files()[SERIES] == b"by hand"
    assert EPISODE not in shelf.list_files()


def test_a_root_without_folders_for_series_gets_no_tvshow(shelf: Shelf):
    operation = shelf.bring("Dark - S01E01.mkv")

    written = write_sidecars(operation)

    assert written == [str(shelf.path / "Dark - S01E01.nfo")]


def test_sidecars_of_a_removed_episode_are_none(shelf: Shelf):
    operation = shelf.bring()
    shelf.episode.delete()

    assert write_sidecars(operation) == []
