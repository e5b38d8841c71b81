"""What the library knows once a file is at its new place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aniworld_site.library.journal import carry_out
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
    Series,
)
from aniworld_site.library.signals import series_changed
from aniworld_site.library.upkeep import settle_operations
from tests.factories import make_episode, make_file, make_season, make_series
from tests.library.shelves import PLACE, Shelf
from tests.library.trees import scan

pytestmark = pytest.mark.django_db

State, Match = FileOperation.State, EpisodeFile.Match


def make_file_at(shelf: Shelf, place: str) -> Episode:
    """Have the library believe that another episode is at a place."""
    other = make_episode(make_season(make_series(title="Light")), number=9)
    folder, _, name = place.rpartition("/")
    make_file(root=shelf.root, folder=folder, name=name, link=other)
    return other


def note_series(operation: FileOperation) -> set[int]:
    """Carry out an operation; return the series that are told to have changed."""
    told: set[int] = set()

    def note(series_ids: set[int], **_kwargs: object) -> None:
        told.update(series_ids)

    series_changed.connect(note)
    try:
        carry_out(operation)
    finally:
        series_changed.disconnect(note)
    return told


@pytest.mark.parametrize("does", ["import", "move", "restore"])
def test_an_episode_that_loses_its_place_to_another_is_missing_again(
    shelf: Shelf, does: str
):
    operation = shelf.plan(does)
    place = str(Path(operation.target).relative_to(shelf.path))
    if does == "restore":
        EpisodeFile.objects.update(folder="", name="elsewhere.mkv")
    other = make_file_at(shelf, place)

    told = note_series(operation)

    other.refresh_from_db()
    shelf.episode.refresh_from_db()
    assert (other.has_file, shelf.episode.has_file) == (False, True)
    assert EpisodeFileLink.objects.get().episode == shelf.episode
    assert told == {other.season.series_id, shelf.episode.season.series_id}


def test_an_episode_with_another_file_still_has_one(shelf: Shelf):
    other = make_file_at(shelf, PLACE)
    make_file(root=shelf.root, link=other)

    shelf.bring()

    other.refresh_from_db()
    assert other.has_file


def test_a_file_whose_series_was_removed_waits_for_a_person(shelf: Shelf):
    shelf.plan_import()
    Series.objects.all().delete()

    settled = settle_operations(older_than=timedelta(0))

    file = EpisodeFile.objects.unmatched().get()
    assert (settled, str(file), file.series) == (1, PLACE, None)
    assert (file.is_locked, file.reason) == (
        False,
        "Its episode was removed before it came.",
    )
    assert FileOperation.objects.get().state == State.DONE


def test_a_file_whose_series_was_removed_is_read_by_the_next_full_scan(shelf: Shelf):
    shelf.plan_import()
    Series.objects.all().delete()
    settle_operations(older_than=timedelta(0))

    scan(shelf.root, is_full=True)

    file = EpisodeFile.objects.get()
    assert (file.match, str(file.series)) == (Match.LINKED, "Dark")
    assert Episode.objects.get().has_file


def test_a_file_whose_episode_was_removed_stays_with_its_series(shelf: Shelf):
    operation = shelf.plan_import()
    shelf.episode.delete()

    carry_out(operation)

    file = EpisodeFile.objects.unmatched().get()
    assert (file.series, file.is_locked) == (Series.objects.get(), False)
