"""Series: found, filtered, sorted and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
)

from aniworld_site.library.models import (
    MISSING,
    Episode,
    Series,
    SeriesFolder,
)
from aniworld_site.library.selectors.counting import count_rows

FILTERS = {
    "monitored": Q(is_monitored=True),
    "unmonitored": Q(is_monitored=False),
    "missing": Exists(Episode.objects.filter(MISSING, season__series=OuterRef("pk"))),
    "complete": Exists(Episode.objects.filter(season__series=OuterRef("pk")))
    & ~Exists(Episode.objects.filter(MISSING, season__series=OuterRef("pk"))),
}


SORTS = {
    "title": (F("sort_title").asc(), F("pk").asc()),
    "-added": (F("added_at").desc(), F("pk").desc()),
    "-changed": (F("changed_at").desc(), F("pk").desc()),
    "missing": (F("missing_order").desc(), F("sort_title").asc(), F("pk").asc()),
    "year": (F("year").desc(nulls_last=True), F("sort_title").asc(), F("pk").asc()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the whole library holds."""

    series: int
    episodes: int
    have: int
    missing: int


def get_totals() -> Totals:
    """Count the whole library, in two queries."""
    counts = Episode.objects.aggregate(
        episodes=Count("pk"),
        have=Count("pk", filter=Q(has_file=True)),
        missing=Count("pk", filter=MISSING),
    )
    return Totals(series=Series.objects.count(), **counts)


def list_series(
    *, text: str = "", only: str = "", root_id: int | None = None, sort: str = "title"
) -> QuerySet[Series]:
    """Return the series that match every word of `text` and the filter, sorted, without their counts (see `add_counts`)."""
    found: QuerySet[Series] = Series.objects.all()
    for word in text.split()[:8]:
        found = found.filter(
            Q(title__icontains=word)
            | Q(key__icontains=word)
            | (Q(year=int(word)) if word.isdecimal() and len(word) == 4 else Q())
        )
    if only in FILTERS:
        found = found.filter(FILTERS[only])
    if root_id is not None:
        found = found.filter(
            Exists(SeriesFolder.objects.filter(series=OuterRef("pk"), root=root_id))
        )
    if sort == "missing":
        missing = Episode.objects.filter(MISSING, season__series=OuterRef("pk"))
        found = found.annotate(missing_order=count_rows(missing))
    return found.order_by(*SORTS.get(sort, SORTS["title"]))


def add_counts(page: Iterable[Series]) -> list[Series]:
    """Return the same series in the same order with `episode_count`, `have_count` and `missing_count`, in one query.

    Counting for the rows of one page only is what keeps a library of 30,000 series quick.
    """
    keys = [series.pk for series in page]
    counted = Series.objects.with_counts().in_bulk(keys)
    return [counted[key] for key in keys if key in counted]


def find_series(text: str) -> list[Series]:
    """Return the series that a person means by its key, or by its title with or without the year; several when that is not clear. One query."""
    text = text.strip()
    found = Series.objects.filter(
        Q(key=text.lower())
        | Q(title__iexact=text)
        | Q(title__iexact=_without_year(text))
    )[:5]
    exact = [
        series for series in found if text.lower() in {series.key, str(series).lower()}
    ]
    return exact if len(exact) == 1 else list(found)


def get_series(key: str) -> Series | None:
    """Return a series with its counts and `folders`, in two queries."""
    return (
        Series.objects.with_counts()
        .prefetch_related(
            Prefetch("folders", SeriesFolder.objects.select_related("root"))
        )
        .filter(key=key)
        .first()
    )


def list_new_series(*, limit: int = 8) -> list[Series]:
    """Return the series added last with their counts, in two queries."""
    return add_counts(Series.objects.order_by("-pk")[:limit])


def _without_year(text: str) -> str:
    title, separator, year = text.rpartition(" (")
    return (
        title
        if separator and len(year) == 5 and year.endswith(")") and year[:4].isdecimal()
        else text
    )
