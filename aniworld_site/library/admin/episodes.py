"""Seasons and episodes on the page of their series.

Django does not nest inlines, so each season that is shown gets an episode table of its own beside the table of seasons.
Long series are shown a season, or a hundred episodes, at a time: a form of 1,000 episodes would have 9,000 fields,
which is slow to draw and more than the server takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, DateField, Q, QuerySet
from django.forms import BaseInlineFormSet, DateInput
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aniworld_site.library.models import Episode, Season, Series

# With nine fields a row this is half of what DATA_UPLOAD_MAX_NUMBER_FIELDS allows; the other half is for the seasons.
PAGE_SIZE = 100
HAVE, MISSING = (
    Q(episodes__has_file=True),
    Q(episodes__has_file=False, episodes__is_wanted=True, number__gt=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodePage:
    """The episodes of one season that a form shows."""

    season: Season
    start: int
    total: int
    is_only: bool
    """No other season is shown beside it."""
    is_open: bool
    """Unfolded at first."""

    @property
    def title(self) -> str:
        end = min(self.start + PAGE_SIZE, self.total)
        return (
            f"{self.season}: episodes {self.start + 1} to {end} of {self.total}"
            if self.total > PAGE_SIZE
            else f"{self.season}: episodes"
        )


def list_pages(series: Series, params: Mapping[str, str]) -> list[EpisodePage]:
    """Return what the page of a series shows: all seasons while they fit, otherwise a page of the one that `params` names, else of the first. Two queries."""
    seasons = list(Season.objects.filter(series=series))
    if not seasons:
        return []
    totals = Counter(
        Episode.objects.filter(season__series=series).values_list(
            "season_id", flat=True
        )
    )
    first = next((season for season in seasons if season.number), seasons[0])
    asked = next(
        (season for season in seasons if str(season.number) == params.get("season")),
        None,
    )
    if asked is None and totals.total() <= PAGE_SIZE:
        is_only = len(seasons) == 1
        return [
            EpisodePage(
                season=season,
                start=0,
                total=totals[season.pk],
                is_only=is_only,
                is_open=season == first,
            )
            for season in seasons
        ]
    chosen = asked or first
    total = totals[chosen.pk]
    start = min(_read_page(params) - 1, max(0, total - 1) // PAGE_SIZE) * PAGE_SIZE
    return [
        EpisodePage(season=chosen, start=start, total=total, is_only=True, is_open=True)
    ]


def _read_page(params: Mapping[str, str]) -> int:
    page = params.get("page", "")
    return max(1, int(page)) if page.isdecimal() and len(page) < 6 else 1


class RowsFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Rows of a series that may vanish or appear, by a scan, between showing the form and saving it."""

    what: ClassVar[str]

    def clean(self) -> None:
        super().clean()
        if any("id" in form.errors for form in self.initial_forms):
            # Django puts this error on the hidden key, where the admin's tables do not show it.
            raise ValidationError(
                f"At least one {self.what} is gone meanwhile, so nothing was saved. Load the page again."
            )
        for form in self.deleted_forms:
            if self.has_file(form.instance):
                raise ValidationError(
                    f"{form.instance} has a file, so the next scan would bring it back. Delete the file first, or leave the row and make it not wanted."
                )

    def has_file(self, row: Any) -> bool:
        raise NotImplementedError


class SeasonsFormSet(RowsFormSet):
    what = "season"

    def has_file(self, row: Season) -> bool:
        return Episode.objects.filter(season=row, has_file=True).exists()


class EpisodesFormSet(RowsFormSet):
    """A page of one season's episodes; the admin calls it with the series."""

    what = "episode"
    page: ClassVar[EpisodePage]

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        instance: Series | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, files, instance=self.page.season, **kwargs)

    @classmethod
    def get_default_prefix(cls) -> str:
        return f"season_{cls.page.season.pk}"

    def get_queryset(self) -> QuerySet[Episode]:
        if not hasattr(self, "_queryset"):
            rows: QuerySet[Episode] = super().get_queryset()
            if self.is_bound:
                # Which rows they are, the form says itself: counted again, an episode that a scan added would shift them all.
                self._queryset = rows.filter(pk__in=self._list_sent())
            else:
                self._queryset = rows[self.page.start : self.page.start + PAGE_SIZE]
        return self._queryset

    def _list_sent(self) -> Iterable[int]:
        sent = (
            str(self.data.get(f"{self.add_prefix(index)}-id", ""))
            for index in range(self.initial_form_count())
        )
        return [int(pk) for pk in sent if pk.isdecimal() and len(pk) < 19]

    def has_file(self, row: Episode) -> bool:
        return row.has_file


class SeasonInline(admin.TabularInline):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    model = Season
    formset = SeasonsFormSet
    fields = ["number", "have", "missing", "total", "episode_pages"]
    readonly_fields = ["have", "missing", "total", "episode_pages"]
    extra = 1
    verbose_name_plural = "seasons"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Season]:
        seasons: QuerySet[Season] = super().get_queryset(request)
        return seasons.annotate(
            total=Count("episodes"),
            have=Count("episodes", filter=HAVE),
            missing=Count("episodes", filter=MISSING),
        )

    def have(self, season: Season) -> str:
        return str(getattr(season, "have", ""))

    def missing(self, season: Season) -> str:
        return str(getattr(season, "missing", ""))

    @admin.display(description="episodes")
    def total(self, season: Season) -> str:
        return str(getattr(season, "total", ""))

    @admin.display(description="to edit")
    def episode_pages(self, season: Season) -> SafeString | str:
        if season._state.adding:
            return "after saving"
        total = getattr(season, "total", 0)
        links = (
            (
                urlencode({"season": season.number, "page": start // PAGE_SIZE + 1}),
                start + 1,
                min(start + PAGE_SIZE, total),
            )
            for start in range(0, total, PAGE_SIZE)
        )
        if total > PAGE_SIZE:
            return format_html_join(", ", '<a href="?{}">{} to {}</a>', links)
        return format_html(
            '<a href="?season={}">episodes of {}</a>', season.number, season
        )


class EpisodeInline(admin.TabularInline):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Made anew for each season that is shown, see `get_episode_inline`."""

    model = Episode
    formset = EpisodesFormSet
    fields = [
        "number",
        "label",
        "title",
        "air_date",
        "absolute_number",
        "is_wanted",
        "there",
    ]
    readonly_fields = ["there"]
    # The browser's own calendar: lower than the admin's, and there without JavaScript.
    formfield_overrides = {
        DateField: {"widget": DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
    }
    page: ClassVar[EpisodePage]

    def __init__(self, parent_model: type[Series], admin_site: admin.AdminSite) -> None:
        # The rows' foreign key leads to their season; that the page is a series' is for the form set to bridge.
        super().__init__(Season, admin_site)

    def get_formset(
        self, request: HttpRequest, obj: Series | None = None, **kwargs: Any
    ) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.page = self.page  # type: ignore[attr-defined]  # The class is made for this request alone.
        return formset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Episode]:
        episodes: QuerySet[Episode] = super().get_queryset(request)
        return episodes.select_related("season")

    @admin.display(description="there", boolean=True)
    def there(self, episode: Episode) -> bool:
        return episode.has_file


def get_episode_inline(page: EpisodePage) -> type[EpisodeInline]:
    # An empty row without JavaScript only where one season is looked at: elsewhere it would stand under each table.
    options = {
        "page": page,
        "verbose_name_plural": page.title,
        "extra": int(page.is_only),
        "classes": [] if page.is_open else ["collapse"],
    }
    return type("SeasonEpisodeInline", (EpisodeInline,), options)
