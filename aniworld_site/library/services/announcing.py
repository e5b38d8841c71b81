"""Telling everybody what a service changed otherwise than by save()."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aniworld_site.library.models import EpisodeFile, RootFolder, Series
from aniworld_site.library.signals import root_changed, series_changed

CHUNK = 500


def announce_series(series_ids: Collection[int]) -> None:
    for chunk in chunks(series_ids):
        series_changed.send(Series, series_ids=set(chunk))


def announce_roots(rows: Iterable[EpisodeFile]) -> None:
    for root in {row.root for row in rows}:
        root_changed.send(RootFolder, root=root)


def chunks(values: Collection[int]) -> Iterable[list[int]]:
    """Yield the values in order and in portions that one query can take."""
    ordered = sorted(values)
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))
