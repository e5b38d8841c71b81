"""Which series of the library a source means, and which episode. Only identifiers decide by themselves; the rest is proposed to a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from aniworld_site.downloads.models import SourceEpisode, SourceSeries
from aniworld_site.library.models import Episode, Series
from aniworld_site.library.naming import match_key, parse_path

LARGEST_NUMBER = 9_999
PROVIDER = re.compile(r"[a-z]{2,20}")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A series of the library that may be the one that a source lists."""

    series: Series
    score: float
    """0 to 1."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """A series that a source lists, and which of the library it may be."""

    listed: SourceSeries
    episode_count: int
    proposals: list[Proposal]
    """The likeliest first; none for one that is linked."""


def find_by_ids(listed: SourceSeries) -> Series | None:
    """Return the one series that has an identifier in common and none that contradicts; None where there is none or several."""
    found = [
        series
        for series in Series.objects.filter(_have_any(listed.ids))
        if not _contradict(series, listed)
    ]
    return found[0] if len(found) == 1 else None


def propose(listed: SourceSeries) -> list[Proposal]:
    """Return what it may be, the likeliest first. Two queries."""
    by_id = Series.objects.filter(_have_any(listed.ids))
    by_title = Series.objects.filter(match_key=match_key(listed.title)[:250])
    rows = {series.pk: series for series in (*by_id, *by_title)}
    proposals = [_weigh(series, listed) for series in rows.values()]
    return sorted(
        (each for each in proposals if each.score > 0),
        key=lambda each: (-each.score, each.series.pk),
    )


def find_places(
    listed: SourceSeries, series: Series, rows: Collection[SourceEpisode]
) -> dict[int, tuple[int, int]]:
    """Return season and number of listed episodes, by primary key; those that cannot be told are missing. Two queries.

    The source's own numbers count, then absolute numbers that the library knows, then what a title surely says.
    """
    has_seasons = listed.episodes.exclude(season=None).exists()
    known = {
        absolute: (season, number)
        for absolute, season, number in Episode.objects.filter(
            season__series=series, absolute_number__isnull=False
        ).values_list("absolute_number", "season__number", "number")
        if absolute is not None
    }
    places = {
        row.pk: _find_place(row, listed.title, known, has_seasons=has_seasons)
        for row in rows
    }
    return {
        pk: place
        for pk, place in places.items()
        if place is not None and max(place) <= LARGEST_NUMBER
    }


def _find_place(
    row: SourceEpisode,
    title: str,
    known: Mapping[int, tuple[int, int]],
    *,
    has_seasons: bool,
) -> tuple[int, int] | None:
    if row.number is not None and (row.season is not None or not has_seasons):
        return (1 if row.season is None else row.season), row.number
    if row.absolute_number is not None:
        return known.get(row.absolute_number)
    parsed = parse_path(f"{title}/{row.title}.mkv")
    if parsed.is_sure and parsed.season is not None and len(parsed.episodes) == 1:
        return parsed.season, parsed.episodes[0]
    return None


def _have_any(ids: dict[str, str]) -> Q:
    condition = Q(pk__in=[])
    for provider, value in ids.items():
        # What a source says becomes part of a lookup.
        if PROVIDER.fullmatch(provider):
            condition |= Q(**{f"ids__{provider}": value})
    return condition


def _contradict(series: Series, listed: SourceSeries) -> bool:
    both = _common(series, listed)
    return any(series.ids[name] != listed.ids[name] for name in both)


def _common(series: Series, listed: SourceSeries) -> set[str]:
    return set(series.ids) & set(listed.ids)


def _weigh(series: Series, listed: SourceSeries) -> Proposal:
    if _contradict(series, listed):
        return Proposal(
            series=series, score=0.0, reason="Its identifiers are different."
        )
    if same := _common(series, listed):
        names = ", ".join(sorted(same))
        return Proposal(series=series, score=1.0, reason=f"The same {names}.")
    if series.year and listed.year:
        if series.year == listed.year:
            return Proposal(series=series, score=0.9, reason="Title and year.")
        return Proposal(series=series, score=0.2, reason="Title, and another year.")
    return Proposal(series=series, score=0.6, reason="Title; a year is unknown.")


def list_found(rows: Iterable[SourceSeries]) -> list[Found]:
    """Add to listed series which of the library each may be; queries grow with the rows, of which a page has few."""
    return [
        Found(
            listed=row,
            episode_count=getattr(row, "episode_count", 0),
            proposals=[] if row.series_id else propose(row),
        )
        for row in rows
    ]
