"""Sources, and what they list."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils import timezone

from aniworld_site.downloads.models import Source, SourceEpisode, SourceSeries


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
