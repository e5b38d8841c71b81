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
    take_place_before,
    take_places,
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
        # In the order of their places: of two that get the same, the earlier row is first.
        fresh = {
            each.episode.pk: each
            for each in sorted(wanted, key=_get_order)
            if each.episode.pk not in there
        }
        places = _choose_places(list(fresh.values()))
        downloads = [
            Download(
                episode=each.episode,
                offer=each.offer,
                source=each.offer.listed.source,
                root=each.root,
                position=places[pk],
                size_bytes=each.size_bytes,
                checksum=each.checksum,
                is_forced=is_forced,
                requested_by=by,
                added_at=now,
            )
            for pk, each in fresh.items()
        ]
        Download.objects.bulk_create(downloads, batch_size=200)
    if downloads:
        downloads_added.send(Download, downloads=downloads)
    return downloads


def _choose_places(fresh: Sequence[Wanted]) -> dict[int, int]:
    """Return a place for each episode. One query for each series, and one for each that goes before another."""
    places: dict[int, int] = {}
    following: dict[int, list[tuple[tuple[int, int], Download]]] = {}
    end = take_places(len(fresh))
    for each in fresh:
        series_id = each.episode.season.series_id
        if series_id not in following:
            queued = Download.objects.filter(
                state=Download.State.QUEUED, episode__season__series=series_id
            ).select_related("episode__season")
            following[series_id] = [(_rank(row.episode), row) for row in queued]
        later = [
            row for rank, row in following[series_id] if rank > _rank(each.episode)
        ]
        if later:
            first = min(later, key=lambda row: (row.position, row.pk))
            first.refresh_from_db(fields=["position"])
            places[each.episode.pk] = take_place_before(first)
        else:
            places[each.episode.pk] = end
            end += GAP
    return places


def _get_order(each: Wanted) -> tuple[int, tuple[int, int]]:
    return (each.episode.season.series_id, _rank(each.episode))


def _rank(episode: Episode) -> tuple[int, int]:
    # Specials after all seasons.
    return (episode.season.number or 1 << 30, episode.number)
