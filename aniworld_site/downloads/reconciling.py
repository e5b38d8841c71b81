"""Bringing the rows in line with what a source lists. Reads no network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from aniworld_site.downloads.matching import find_by_ids, find_places
from aniworld_site.downloads.models import Source, SourceEpisode, SourceSeries
from aniworld_site.downloads.providers.registry import (
    ListedEpisode,
    ListedSeries,
    Listing,
)
from aniworld_site.library.models import Series
from aniworld_site.library.services.episodes import EpisodeFacts, describe_episodes

CHUNK = 200
EPISODE_FIELDS = (
    "title",
    "season",
    "number",
    "absolute_number",
    "air_date",
    "url",
    "size_bytes",
    "media_type",
    "checksum",
)
BY_ID = "Its identifier is that series'."


@dataclass(kw_only=True)
class Changes:
    """What a look at a source changed, in rows."""

    series_added: int = 0
    series_withdrawn: int = 0
    episodes_added: int = 0
    episodes_changed: int = 0
    episodes_withdrawn: int = 0
    to_review: int = 0


def store(source: Source, listing: Listing, *, is_complete: bool) -> Changes:
    """Keep what a source lists; one transaction for each series, so that other writers get their turn.

    What is gone from a complete listing is withdrawn, and stays: its links are a person's.
    """
    changes = Changes()
    for each in listing.series:
        with transaction.atomic():
            was_linked = source.listed.filter(key=each.key, series__isnull=False)
            is_old = was_linked.exists()
            row = _store_series(source, each, changes)
            fresh = _store_episodes(
                row, each.episodes, changes, is_complete=is_complete
            )
            if is_old:
                _mark_new(fresh)
            if row.series is not None:
                offer(row, row.series)
    if is_complete:
        listed = {each.key for each in listing.series}
        there = source.listed.filter(withdrawn_at=None).values_list("pk", "key")
        gone = [pk for pk, key in there if key not in listed]
        for at in range(0, len(gone), CHUNK):
            changes.series_withdrawn += source.listed.filter(
                pk__in=gone[at : at + CHUNK]
            ).update(withdrawn_at=timezone.now())
    return changes


def offer(listed: SourceSeries, series: Series) -> None:
    """Link what a source lists to the episodes of a series, which are made where they are not there."""
    rows = list(listed.episodes.filter(episode=None))
    if not rows:
        return
    places = find_places(listed, series, rows)
    facts = {
        places[row.pk]: EpisodeFacts(
            title=row.title, air_date=row.air_date, absolute_number=row.absolute_number
        )
        for row in reversed(rows)
        if row.pk in places
    }
    episodes = describe_episodes(series, facts) if facts else {}
    for row in rows:
        row.episode = episodes.get(places.get(row.pk, (-1, -1)))
        row.reason = (
            "By season and number."
            if row.episode
            else "Its season and number cannot be told."
        )
    SourceEpisode.objects.bulk_update(rows, ["episode", "reason"], batch_size=CHUNK)


def _store_series(source: Source, each: ListedSeries, changes: Changes) -> SourceSeries:
    # Read again for each: meanwhile a person may have said which series it is.
    row = (
        source.listed.select_for_update(of=("self",))
        .select_related("series")
        .filter(key=each.key)
        .first()
    )
    if row is None:
        row = SourceSeries(source=source, key=each.key)
        changes.series_added += 1
    values = {
        "title": each.title,
        "year": each.year,
        "ids": dict(each.ids),
        "image_url": each.image_url,
        "withdrawn_at": None,
    }
    is_new = row._state.adding or any(
        getattr(row, name) != value for name, value in values.items()
    )
    for name, value in values.items():
        setattr(row, name, value)
    if row.series is None and not row.is_locked and (series := find_by_ids(row)):
        row.series, row.reason, is_new = series, BY_ID, True
    if is_new:
        row.save()
    return row


def _store_episodes(
    listed: SourceSeries,
    episodes: Iterable[ListedEpisode],
    changes: Changes,
    *,
    is_complete: bool,
) -> list[SourceEpisode]:
    """Bring the rows of one series' episodes in line; return those that are new, or have an address at last."""
    known = {row.key: row for row in listed.episodes.all()}
    fresh: list[SourceEpisode] = []
    changed: list[SourceEpisode] = []
    arrived: list[SourceEpisode] = []
    seen: set[str] = set()
    for each in episodes:
        seen.add(each.key)
        values = _get_values(each)
        row = known.get(each.key)
        if row is None:
            fresh.append(SourceEpisode(listed=listed, key=each.key, **values))
            continue
        was_announced = not row.url
        if _take(row, values, changes):
            changed.append(row)
            if was_announced and row.url:
                arrived.append(row)
    SourceEpisode.objects.bulk_create(fresh, batch_size=CHUNK)
    SourceEpisode.objects.bulk_update(
        changed, [*EPISODE_FIELDS, "review", "withdrawn_at"], batch_size=CHUNK
    )
    changes.episodes_added += len(fresh)
    changes.episodes_changed += len(changed)
    if is_complete:
        gone = [
            row.pk
            for row in known.values()
            if row.key not in seen and row.withdrawn_at is None
        ]
        for at in range(0, len(gone), CHUNK):
            changes.episodes_withdrawn += SourceEpisode.objects.filter(
                pk__in=gone[at : at + CHUNK]
            ).update(withdrawn_at=timezone.now())
    return fresh + arrived


def _mark_new(offers: list[SourceEpisode]) -> None:
    """Note which may join the queue by themselves; with the rows, since whoever reads the source may be killed before they do."""
    for offer in offers:
        offer.is_new = True
    SourceEpisode.objects.bulk_update(offers, ["is_new"], batch_size=CHUNK)


def _take(row: SourceEpisode, values: dict[str, object], changes: Changes) -> bool:
    """Give a row its new values; tell whether any was new."""
    if row.withdrawn_at is None and all(
        getattr(row, name) == value for name, value in values.items()
    ):
        return False
    before = (row.season, row.number)
    for name, value in values.items():
        setattr(row, name, value)
    row.withdrawn_at = None
    if row.episode_id is not None and before != (row.season, row.number):
        # The link is to a row, so files stay where they are; whether the source is right is for a person to say.
        row.review = f"Its source calls it {_show(row.season, row.number)} now; it was {_show(*before)}. The link stays until somebody changes it."
        changes.to_review += 1
    return True


def _get_values(each: ListedEpisode) -> dict[str, object]:
    media = each.media
    return {
        "title": each.title,
        "season": each.season,
        "number": each.number,
        "absolute_number": each.absolute_number,
        "air_date": each.air_date,
        "url": media.url if media else "",
        "size_bytes": media.size_bytes if media else None,
        "media_type": media.type if media else "",
        "checksum": media.checksum if media else "",
    }


def _show(season: int | None, number: int | None) -> str:
    if number is None:
        return "without a number"
    return f"S{season:02}E{number:02}" if season is not None else f"number {number}"
