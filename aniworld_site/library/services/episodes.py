"""Episodes that a source says there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from aniworld_site.library.matching import touch_series
from aniworld_site.library.models import Episode, Season, Series
from aniworld_site.library.services.announcing import announce_series

CHUNK = 200


@dataclass(frozen=True, kw_only=True)
class EpisodeFacts:
    """What is known of an episode from elsewhere than its file."""

    title: str = ""
    air_date: date | None = None
    absolute_number: int | None = None


Place = tuple[int, int]
"""Season and number."""


def describe_episodes(
    series: Series, described: Mapping[Place, EpisodeFacts]
) -> dict[Place, Episode]:
    """Make the episodes that are not there yet, fill in what the others lack, and return all of them by season and number.

    Nothing that is known already is changed. A constant number of queries and one for each 200 changed rows.
    """
    with transaction.atomic():
        known = _read(series, described)
        missing = [place for place in described if place not in known]
        _make(series, {place: described[place] for place in missing})
        changed = [
            episode
            for place, episode in known.items()
            if _fill_in(episode, described[place])
        ]
        Episode.objects.bulk_update(
            changed, ["title", "air_date", "absolute_number"], batch_size=CHUNK
        )
        found = _read(series, described) if missing else known
        if missing or changed:
            touch_series([series.pk])
    if missing or changed:
        announce_series({series.pk})
    return found


def _read(series: Series, places: Mapping[Place, EpisodeFacts]) -> dict[Place, Episode]:
    rows = Episode.objects.filter(season__series=series, label="").select_related(
        "season"
    )
    found = {(row.season.number, row.number): row for row in rows}
    return {place: found[place] for place in places if place in found}


def _make(series: Series, wanted: Mapping[Place, EpisodeFacts]) -> None:
    numbers = {season for season, _ in wanted}
    Season.objects.bulk_create(
        [Season(series=series, number=number) for number in sorted(numbers)],
        ignore_conflicts=True,
    )
    seasons = dict(
        Season.objects.filter(series=series, number__in=numbers).values_list(
            "number", "pk"
        )
    )
    # A scan may make the same one meanwhile.
    Episode.objects.bulk_create(
        [
            Episode(
                season_id=seasons[season],
                number=number,
                title=facts.title,
                air_date=facts.air_date,
                absolute_number=facts.absolute_number,
            )
            for (season, number), facts in sorted(wanted.items(), key=lambda it: it[0])
        ],
        ignore_conflicts=True,
        batch_size=CHUNK,
    )


def _fill_in(episode: Episode, facts: EpisodeFacts) -> bool:
    before = (episode.title, episode.air_date, episode.absolute_number)
    episode.title = episode.title or facts.title
    episode.air_date = episode.air_date or facts.air_date
    if episode.absolute_number is None:
        episode.absolute_number = facts.absolute_number
    return before != (episode.title, episode.air_date, episode.absolute_number)
