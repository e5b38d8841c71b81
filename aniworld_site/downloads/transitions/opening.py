"""New downloads, and the places that they get."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from aniworld_site.downloads.models import LIVE_STATES, Download, SourceEpisode
from aniworld_site.downloads.ordering import (
    GAP,
    lock_queue,
    take_last_place,
    take_places_before,
)
from aniworld_site.downloads.signals import (
    download_changed,
    downloads_added,
    many_changed,
)
from aniworld_site.downloads.transitions.steering import RETRY
from aniworld_site.library.models import Episode, FileOperation, RootFolder

TOLD_ONE_BY_ONE = 200
"""Of those that go on. Of more, whoever looks is to look again: each takes some queries to tell."""


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
    """Put episodes into the queue and return their rows; those that are in it already are left alone.

    One that failed or was cancelled last, and would be fetched from the same offer into the same folder, goes on in the row that it has, with what came of it; any other gets a new one.
    They come to the end, by season and episode, but before what is there of the same series and comes after them.
    """
    now = timezone.now()
    with transaction.atomic():
        lock_queue()
        ended = _lock_ended(wanted)
        there = set(
            Download.objects.live()
            .filter(episode__in=[each.episode for each in wanted])
            .values_list("episode_id", flat=True)
        )
        fresh = {
            each.episode.pk: each
            for each in sorted(wanted, key=get_order)
            if each.episode.pk not in there
        }
        new: list[Download] = []
        revived: list[tuple[Download, str]] = []
        for each, place in _choose_places(list(fresh.values())):
            asked = {
                "position": place,
                "is_forced": is_forced,
                "requested_by": by,
                "added_at": now,
            }
            last = ended.get(each.episode.pk)
            if last is not None and _may_go_on(last, each):
                revived.append((last, last.state))
                _revive(last, asked)
            else:
                new.append(_make(each, asked))
        Download.objects.bulk_create(new, batch_size=200)
    if new:
        downloads_added.send(Download, downloads=new)
    if len(revived) > TOLD_ONE_BY_ONE:
        many_changed.send(Download)
    else:
        for download, was in revived:
            download_changed.send(Download, download=download, was=was)
    return [*new, *(download for download, _was in revived)]


def _lock_ended(wanted: Sequence[Wanted]) -> dict[int, Download]:
    """Return what ended last of each episode, locked: nobody tries it again or removes it before this transaction ends."""
    rows = (
        Download.objects.select_for_update(of=("self",))
        .select_related("operation")
        .filter(episode__in=[each.episode for each in wanted])
        .exclude(state__in=LIVE_STATES)
        .order_by(F("finished_at").asc(nulls_first=True), "pk")
    )
    return {row.episode_id: row for row in rows}


def _may_go_on(last: Download, each: Wanted) -> bool:
    operation = last.operation
    return (
        last.state in (Download.State.FAILED, Download.State.CANCELLED)
        and (last.offer_id, last.root_id) == (each.offer.pk, each.root.pk)
        # What it brought stays what it brought: who asks again wants another file.
        and (operation is None or operation.state != FileOperation.State.DONE)
    )


def _revive(last: Download, asked: Mapping[str, Any]) -> None:
    values = {**RETRY.values, **asked}
    Download.objects.filter(pk=last.pk, state=last.state).update(**values)
    for name, value in values.items():
        setattr(last, name, value)


def _make(each: Wanted, asked: Mapping[str, Any]) -> Download:
    return Download(
        episode=each.episode,
        offer=each.offer,
        source=each.offer.listed.source,
        root=each.root,
        size_bytes=each.size_bytes,
        checksum=each.checksum,
        **asked,
    )


class _Line:
    """What is queued of one series, in the queue's order."""

    def __init__(self, rows: Iterable[Download]) -> None:
        # Each that no one before it outranks: the first of them with a higher rank is the first of all with one.
        self._rows: list[Download] = []
        self._ranks: list[tuple[int, int]] = []
        for row in rows:
            rank = _rank(row.episode)
            if not self._ranks or rank > self._ranks[-1]:
                self._rows.append(row)
                self._ranks.append(rank)

    def find_first_behind(self, each: Wanted) -> Download | None:
        """Return the first download in the queue of an episode that comes after this one."""
        at = bisect_right(self._ranks, _rank(each.episode))
        return self._rows[at] if at < len(self._rows) else None


def _choose_places(fresh: Sequence[Wanted]) -> list[tuple[Wanted, int]]:
    """Return each with its place. One query for each series, and some for each place that they go before."""
    queued: dict[int, _Line] = {}
    # By what they come before, in order; None is the end.
    groups: dict[int | None, tuple[Download | None, list[Wanted]]] = {}
    for each in fresh:
        series_id = each.episode.season.series_id
        if series_id not in queued:
            rows = Download.objects.filter(
                state=Download.State.QUEUED, episode__season__series=series_id
            ).select_related("episode__season")
            queued[series_id] = _Line(rows)
        first = queued[series_id].find_first_behind(each)
        group = groups.setdefault(first.pk if first else None, (first, []))
        group[1].append(each)
    placed: list[tuple[Wanted, int]] = []
    # The end is where it is when others have made room.
    for first, group_of in sorted(groups.values(), key=lambda group: group[0] is None):
        placed += zip(group_of, _take(first, len(group_of)), strict=True)
    return placed


def _take(first: Download | None, count: int) -> list[int]:
    if first is not None:
        return take_places_before(first, count)
    start = take_last_place()
    return [start + GAP * number for number in range(count)]


def get_order(each: Wanted) -> tuple[int, tuple[int, int]]:
    """Return the rank of an episode among those that join together: by series, season and number."""
    return (each.episode.season.series_id, _rank(each.episode))


def _rank(episode: Episode) -> tuple[int, int]:
    # Specials after all seasons.
    return (episode.season.number or 1 << 30, episode.number)
