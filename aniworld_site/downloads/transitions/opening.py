"""New downloads, and the places that they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from aniworld_site.downloads.models import Download, SourceEpisode
from aniworld_site.downloads.ordering import (
    GAP,
    lock_queue,
    take_last_place,
    take_places_before,
)
from aniworld_site.downloads.signals import downloads_added
from aniworld_site.library.models import Episode, RootFolder


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An episode that is to be fetched, and where from."""

    episode: Episode
    """With its season."""
    offer: SourceEpisode
    """With what listed it, and its source."""
    root: RootFolder
    checksum: str = ""
    size_bytes: int | None = None


def open_downloads(
    wanted: Sequence[Wanted], *, by: str, is_forced: bool = False
) -> list[Download]:
    """Put episodes into the queue and return the new rows; those that are in it already are left alone.

    They come to the end, by season and episode, but before what is there of the same series and comes after them.
    """
    now = timezone.now()
    with transaction.atomic():
        lock_queue()
        there = set(
            Download.objects.live()
            .filter(episode__in=[each.episode for each in wanted])
            .values_list("episode_id", flat=True)
        )
        fresh = {
            each.episode.pk: each
            for each in sorted(wanted, key=_get_order)
            if each.episode.pk not in there
        }
        downloads = [
            Download(
                episode=each.episode,
                offer=each.offer,
                source=each.offer.listed.source,
                root=each.root,
                position=place,
                size_bytes=each.size_bytes,
                checksum=each.checksum,
                is_forced=is_forced,
                requested_by=by,
                added_at=now,
            )
            for each, place in _choose_places(list(fresh.values()))
        ]
        Download.objects.bulk_create(downloads, batch_size=200)
    if downloads:
        downloads_added.send(Download, downloads=downloads)
    return downloads


def _choose_places(fresh: Sequence[Wanted]) -> list[tuple[Wanted, int]]:
    """Return each with its place. One query for each series, and some for each place that they go before."""
    queued: dict[int, list[Download]] = {}
    # By what they come before, in order; None is the end.
    groups: dict[int | None, tuple[Download | None, list[Wanted]]] = {}
    for each in fresh:
        series_id = each.episode.season.series_id
        if series_id not in queued:
            rows = Download.objects.filter(
                state=Download.State.QUEUED, episode__season__series=series_id
            ).select_related("episode__season")
            queued[series_id] = list(rows)
        # The first of them in the queue's order, which the rows are in.
        later = (row for row in queued[series_id] if _comes_behind(row, each))
        first = next(later, None)
        group = groups.setdefault(first.pk if first else None, (first, []))
        group[1].append(each)
    placed: list[tuple[Wanted, int]] = []
    # The end is where it is when others have made room.
    for first, group_of in sorted(groups.values(), key=lambda group: group[0] is None):
        placed += zip(group_of, _take(first, len(group_of)), strict=True)
    return placed


def _comes_behind(row: Download, each: Wanted) -> bool:
    return _rank(row.episode) > _rank(each.episode)


def _take(first: Download | None, count: int) -> list[int]:
    if first is not None:
        return take_places_before(first, count)
    start = take_last_place()
    return [start + GAP * number for number in range(count)]


def _get_order(each: Wanted) -> tuple[int, tuple[int, int]]:
    return (each.episode.season.series_id, _rank(each.episode))


def _rank(episode: Episode) -> tuple[int, int]:
    # Specials after all seasons.
    return (episode.season.number or 1 << 30, episode.number)
