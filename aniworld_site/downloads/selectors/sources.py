"""Sources, and what they list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from aniworld_site.downloads.models import (
    Download,
    Source,
    SourceEpisode,
    SourceSeries,
)
from aniworld_site.downloads.providers.guarding import read_host
from aniworld_site.wording import describe_rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source with what its page tells of it."""

    source: Source
    series_count: int
    linked_count: int
    """Series of it that are in the library."""
    review_count: int
    """Episodes that a person should look at."""

    @property
    def host(self) -> str:
        """Where it is, without what may be secret."""
        return read_host(self.source.url)

    @property
    def rests(self) -> bool:
        """Whether none of its downloads starts now, since they failed or it said so."""
        until = self.source.rests_until
        return until is not None and until > timezone.now()


def list_sources() -> list[SourceState]:
    """Return the sources by name, in three queries."""
    listed = {
        row["source"]: row
        for row in SourceSeries.objects.order_by()
        .values("source")
        .annotate(total=Count("pk"), linked=Count("series"))
    }
    reviews = dict(
        SourceEpisode.objects.exclude(review="")
        .order_by()
        .values("listed__source")
        .annotate(count=Count("pk"))
        .values_list("listed__source", "count")
    )
    none = {"total": 0, "linked": 0}
    return [
        SourceState(
            source=row,
            series_count=listed.get(row.pk, none)["total"],
            linked_count=listed.get(row.pk, none)["linked"],
            review_count=reviews.get(row.pk, 0),
        )
        for row in Source.objects.all()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What would go with a source."""

    series_count: int
    linked_count: int
    """Series of it that are in the library."""
    by_hand_count: int
    """Series of it of which a person said what they are."""
    download_count: int
    """Downloads from it that have not ended."""


def get_removal(source: Source) -> Removal:
    """Return what would go with a source, in two queries."""
    return Removal(
        **SourceSeries.objects.filter(source=source).aggregate(
            series_count=Count("pk"),
            linked_count=Count("series"),
            by_hand_count=Count("pk", filter=Q(is_locked=True)),
        ),
        download_count=Download.objects.live().filter(source=source).count(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A source with when it was and will be read."""

    source: Source
    often: str
    """How often, in words."""
    is_reading: bool
    next_at: datetime | None
    """`None` for never."""
    is_due: bool


def list_readings() -> list[Reading]:
    """Return the sources by name, with when they are read, in two queries."""
    now = timezone.now()
    unread = set(Source.objects.unread().values_list("pk", flat=True))
    readings = []
    for row in Source.objects.all():
        due_at = row.due_at or now
        readings.append(
            Reading(
                source=row,
                often=describe_rhythm(timedelta(minutes=row.every_minutes)),
                is_reading=row.pk not in unread,
                next_at=due_at if row.is_enabled else None,
                is_due=row.is_enabled and due_at <= now,
            )
        )
    return readings


def list_reviews(*, limit: int) -> list[SourceEpisode]:
    """Return episodes that a source renumbered, in one query."""
    rows = SourceEpisode.objects.exclude(review="").select_related(
        "listed__source", "episode__season__series"
    )
    return list(rows.order_by("pk")[:limit])


def search_listed(text: str = "", *, only_new: bool = True) -> QuerySet[SourceSeries]:
    """Return what sources list, by title; those that are in the library only where asked for."""
    rows = SourceSeries.objects.filter(
        withdrawn_at=None, source__is_enabled=True
    ).select_related("source", "series")
    if text:
        rows = rows.filter(title__icontains=text)
    if only_new:
        rows = rows.filter(series=None, is_locked=False)
    return rows.annotate(episode_count=Count("episodes")).order_by("title", "pk")
