"""Series in the admin: a list with counts, a page with seasons and episodes, and scans for those selected."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from aniworld_site.library import services
from aniworld_site.library.admin.episodes import (
    PAGE_SIZE,
    SeasonInline,
    get_episode_inline,
    list_pages,
)
from aniworld_site.library.admin.refusals import RefusalMixin
from aniworld_site.library.admin.scanning import may_scan, show_moment, start_scan
from aniworld_site.library.models import (
    Episode,
    RootFolder,
    Series,
    SeriesFolder,
)
from aniworld_site.library.naming import match_key, printable
from aniworld_site.library.selectors import add_counts


class MissingFilter(admin.SimpleListFilter):
    title = "missing"
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Episodes missing"), ("no", "Nothing missing")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Series]
    ) -> QuerySet[Series]:
        if self.value() == "yes":
            return queryset.filter(pk__in=Series.objects.missing().values("pk"))
        if self.value() == "no":
            return queryset.exclude(pk__in=Series.objects.missing().values("pk"))
        return queryset


class RootFilter(admin.SimpleListFilter):
    title = "root folder"
    parameter_name = "root"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            *(
                (str(pk), name)
                for pk, name in RootFolder.objects.values_list("pk", "name")
            ),
            ("none", "In none"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Series]
    ) -> QuerySet[Series]:
        value = self.value()
        if value == "none":
            return queryset.filter(folders=None)
        if value is not None and value in {
            str(choice) for choice, _name in self.lookup_choices
        }:
            return queryset.filter(
                pk__in=SeriesFolder.objects.filter(root=int(value)).values("series")
            )
        return queryset


class SeriesChangeList(ChangeList):
    """Counts the episodes of the rows of one page only, which keeps a library of 30,000 series quick."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = add_counts(self.result_list)
        prefetch_related_objects(
            rows, Prefetch("folders", SeriesFolder.objects.select_related("root"))
        )
        self.result_list = rows


class SeriesForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    def clean_title(self) -> str:
        title = printable(str(self.cleaned_data["title"]))
        if not match_key(title):
            raise forms.ValidationError(
                "A series needs a title with at least one letter or digit."
            )
        return title


@admin.register(Series)
class SeriesAdmin(RefusalMixin):
    form = SeriesForm
    list_display = [
        "shown_title",
        "key",
        "year",
        "is_monitored",
        "roots",
        "have",
        "missing",
        "total",
        "changed",
    ]
    list_filter = ["is_monitored", MissingFilter, RootFilter]
    search_fields = ["title", "key", "folder"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    actions = ["scan_selected", "monitor", "unmonitor"]
    readonly_fields = [
        "key",
        "shown_folder",
        "roots",
        "provider",
        "ids",
        "added_at",
        "changed_at",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Series | None = None) -> Any:
        if obj is None:
            return [
                (
                    None,
                    {
                        "fields": ["title", "year"],
                        "description": "Its key is made from the title, and stays when the title changes.",
                    },
                )
            ]
        known = {
            "fields": [
                "shown_folder",
                "roots",
                "provider",
                "ids",
                "added_at",
                "changed_at",
            ],
            "classes": ["collapse"],
        }
        return [
            (None, {"fields": ["title", "year", "is_monitored", "key"]}),
            ("What is known of it", known),
        ]

    def get_inlines(self, request: HttpRequest, obj: Series | None) -> list[Any]:
        return (
            []
            if obj is None
            else [SeasonInline, *map(get_episode_inline, list_pages(obj, request.GET))]
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SeriesChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Series]:
        series: QuerySet[Series] = super().get_queryset(request)
        # Sorting by a count has to count them all; whatever else is sorted by, `SeriesChangeList` counts one page.
        return Series.objects.with_counts() if "o" in request.GET else series

    @admin.display(description="title", ordering="sort_title")
    def shown_title(self, series: Series) -> str:
        return printable(series.title)

    @admin.display(description="folder")
    def shown_folder(self, series: Series) -> str:
        return printable(series.folder)

    @admin.display(description="root folders")
    def roots(self, series: Series) -> str:
        return ", ".join(sorted({folder.root.name for folder in series.folders.all()}))

    @admin.display(ordering="have_count")
    def have(self, series: Series) -> int:
        return int(getattr(series, "have_count", 0))

    @admin.display(ordering="missing_count")
    def missing(self, series: Series) -> int:
        return int(getattr(series, "missing_count", 0))

    @admin.display(description="episodes", ordering="episode_count")
    def total(self, series: Series) -> int:
        return int(getattr(series, "episode_count", 0))

    @admin.display(description="changed", ordering="changed_at")
    def changed(self, series: Series) -> SafeString:
        return show_moment(series.changed_at)

    def has_scan_permission(self, request: HttpRequest) -> bool:
        return may_scan(request)

    @admin.action(description="Scan selected series", permissions=["scan"])
    def scan_selected(self, request: HttpRequest, queryset: QuerySet[Series]) -> None:
        chosen = Series.objects.filter(pk__in=queryset.order_by().values("pk"))
        by_root: dict[RootFolder, set[Series]] = defaultdict(set)
        for folder in SeriesFolder.objects.filter(
            series__in=chosen, is_ignored=False
        ).select_related("root", "series"):
            if folder.series is not None:
                by_root[folder.root].add(folder.series)
        for root, series in by_root.items():
            # A root is scanned once at a time, so several of its series are one request, for all of it.
            start_scan(
                request, root, series=series.copy().pop() if len(series) == 1 else None
            )
        without = chosen.count() - len(set().union(*by_root.values()))
        if without:
            messages.warning(
                request,
                f"{without} of the selected series have no folder yet, so there is nothing to scan for them.",
            )

    @admin.action(description="Monitor", permissions=["change"])
    def monitor(self, request: HttpRequest, queryset: QuerySet[Series]) -> None:
        self._set_monitored(request, queryset, is_monitored=True)

    @admin.action(description="Unmonitor", permissions=["change"])
    def unmonitor(self, request: HttpRequest, queryset: QuerySet[Series]) -> None:
        self._set_monitored(request, queryset, is_monitored=False)

    def _set_monitored(
        self, request: HttpRequest, queryset: QuerySet[Series], *, is_monitored: bool
    ) -> None:
        chosen = Series.objects.filter(pk__in=queryset.order_by().values("pk"))
        changed = services.set_monitored(chosen, is_monitored=is_monitored)
        messages.success(
            request,
            f"{changed} series {'is' if changed == 1 else 'are'} {'monitored' if is_monitored else 'no longer monitored'} now.",
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        is_long = (
            Episode.objects.filter(season__series=int(object_id)).count() > PAGE_SIZE
            if object_id.isdecimal()
            else False
        )
        return super().change_view(
            request,
            object_id,
            form_url,
            {**(extra_context or {}), "page_size": PAGE_SIZE if is_long else None},
        )

    def save_model(
        self, request: HttpRequest, obj: Series, form: Any, change: Any
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            services.rename_series(obj, obj.title)
        else:
            obj.pk = services.add_series(obj.title, year=obj.year).pk
            obj.refresh_from_db()

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        # The stock page names every season, episode and link, and each file would be a row that nobody may delete.
        series = list(objs)
        episodes = Episode.objects.filter(season__series__in=series).count()
        lines = [
            f"{each} and what is known of its episodes; its files stay, and while they are in a root folder the next scan finds it again"
            for each in series
        ]
        return lines, {"series": len(series), "episodes": episodes}, set(), []

    def delete_model(self, request: HttpRequest, obj: Series) -> None:
        services.remove_series(Series.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Series]) -> None:
        services.remove_series(queryset)
