"""Sources in the admin, and what they list. What a source said is read-only; which of the library it is, a person says."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from aniworld_site.downloads import services
from aniworld_site.downloads.matching import propose
from aniworld_site.downloads.models import Source, SourceEpisode, SourceSeries
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
    read_hosts,
)
from aniworld_site.downloads.providers.registry import get_provider_types
from aniworld_site.exceptions import DomainError

SURE = 0.9
"""Of a proposal that the action takes."""


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown. Left empty, the one that is there stays.",
    )
    forget_password = forms.BooleanField(required=False)
    kind = forms.ChoiceField(
        required=False,
        help_text="Left empty, it is found out; yt-dlp is never guessed.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind := self.fields.get("kind"):
            found = get_provider_types().items()
            choices = [(name, each.label) for name, each in found]
            kind.choices = [("", "found out"), *choices]  # type: ignore[attr-defined]  # It is a choice field.

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "private_hosts" in cleaned:
            hosts = read_hosts(str(cleaned["private_hosts"]))
            try:
                check_url(str(cleaned.get("url", "")), private_hosts=hosts)
            except GuardError as error:
                self.add_error("url", str(error))
        return cleaned


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # As above.
    form = SourceForm
    list_display = [
        "name",
        "is_enabled",
        "series_count",
        "error",
        "refreshed_at",
        "kind",
        "url",
    ]
    list_filter = ["is_enabled", "kind"]
    search_fields = ["name", "url", "title"]
    readonly_fields = [
        "kind",
        "title",
        "refreshed_at",
        "due_at",
        "failures",
        "error",
        "problems",
        "rests_until",
        "rest_reason",
    ]
    actions = ["refresh", "enable", "disable"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        sources: QuerySet[Source] = super().get_queryset(request)
        return sources.annotate(counted=Count("listed"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Source | None = None
    ) -> list[str]:
        # Which kind a source is can only be said before it was read.
        known = obj is not None and bool(obj.kind)
        return [name for name in self.readonly_fields if known or name != "kind"]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        asked = ["name", "url", "private_hosts", "username", "password"]
        times = ["is_enabled", "every_minutes", "queues_new"]
        limits = ["concurrency", "delay_s", "limit_kib_per_s", "retries"]
        if obj is None:
            return [(None, {"fields": [*asked, "kind", *times]})]
        return [
            (None, {"fields": [*asked, "forget_password", *times]}),
            ("Its downloads", {"fields": [*limits, "rests_until", "rest_reason"]}),
            ("yt-dlp", {"fields": ["cookies", "format"]}),
            ("What it said", {"fields": self.readonly_fields}),
        ]

    @admin.display(description="series", ordering="counted")
    def series_count(self, source: Source) -> int:
        return int(getattr(source, "counted", 0))

    def save_model(
        self, request: HttpRequest, obj: Source, form: Any, change: Any
    ) -> None:
        if {"url", "username"} & set(form.changed_data):
            obj.due_at, obj.etag, obj.last_modified = None, "", ""
            # Whoever reads it now asks at the old one.
            obj.refreshing_since = None
        super().save_model(request, obj, form, change)
        password = form.cleaned_data.get("password", "")
        has_moved = change and _get_host(form.initial["url"]) != _get_host(obj.url)
        if has_moved and obj.secret and not password:
            messages.warning(
                request,
                "The source is at another host now, which is not told the old password: enter it again if it is the same.",
            )
        if password or has_moved or form.cleaned_data.get("forget_password"):
            services.set_password(obj, password)
        # Read by a worker: no page waits for a source, and no transaction does.
        if obj.is_enabled:
            services.request_refresh(obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        # The stock page names every listed episode, and refuses since nobody may delete one by itself.
        sources = list(objs)
        listed = SourceSeries.objects.filter(source__in=sources).count()
        lines = [f"{source}; the library keeps its episodes" for source in sources]
        return lines, {"listed series": listed}, set(), []

    @admin.action(description="Read now", permissions=["change"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            services.request_refresh(source)
        messages.success(request, f"{len(queryset)} are read now.")

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        queryset.update(is_enabled=True, due_at=None)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        queryset.update(is_enabled=False)


def _get_host(url: str) -> str | None:
    return urlsplit(url).hostname


class LinkedFilter(admin.SimpleListFilter):
    title = "in the library"
    parameter_name = "linked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "Nobody said")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[SourceSeries]
    ) -> QuerySet[SourceSeries]:
        if self.value() in ("yes", "no"):
            return queryset.filter(series__isnull=self.value() == "no")
        return queryset


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # As above.
    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SourceSeries)
class SourceSeriesAdmin(ReadOnlyAdmin):
    list_display = ["title", "year", "source", "series", "reason", "withdrawn_at"]
    list_filter = [LinkedFilter, "source"]
    list_select_related = ["source", "series"]
    search_fields = ["title", "key"]
    autocomplete_fields = ["series"]
    readonly_fields = [
        "source",
        "key",
        "title",
        "year",
        "ids",
        "reason",
        "withdrawn_at",
        "proposals",
    ]
    actions = ["add_to_library", "link_to_proposal"]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        if series := form.base_fields.get("series"):
            # Beside a choice of series these would be taken for "no longer this one".
            series.widget.can_delete_related = False
            series.widget.can_add_related = False
        return form

    @admin.display(description="may be")
    def proposals(self, listed: SourceSeries) -> str:
        found = [
            f"{each.series} ({each.series.key}), {each.score:.0%}: {each.reason}"
            for each in propose(listed)
        ]
        return "\n".join(found) or "Nothing of the library."

    def save_model(
        self, request: HttpRequest, obj: SourceSeries, form: Any, change: Any
    ) -> None:
        if "series" not in form.changed_data:
            return
        if obj.series is None:
            services.unlink_listed(obj)
        else:
            services.link_listed(obj, obj.series)

    @admin.action(description="Add to the library", permissions=["change"])
    def add_to_library(
        self, request: HttpRequest, queryset: QuerySet[SourceSeries]
    ) -> None:
        for listed in queryset:
            try:
                series = services.add_listed(listed)
            except DomainError as error:
                messages.warning(request, str(error))
            else:
                messages.success(request, f"{series} is in the library now.")

    @admin.action(
        description="Link to the series of the same title and year",
        permissions=["change"],
    )
    def link_to_proposal(
        self, request: HttpRequest, queryset: QuerySet[SourceSeries]
    ) -> None:
        for listed in queryset.filter(series=None):
            sure = [each for each in propose(listed) if each.score >= SURE]
            if len(sure) == 1:
                services.link_listed(listed, sure[0].series)
                messages.success(request, f"{listed} is {sure[0].series}.")
            else:
                messages.warning(
                    request,
                    f"{listed}: {'several series' if sure else 'no series'} of the library may be it.",
                )


@admin.register(SourceEpisode)
class SourceEpisodeAdmin(ReadOnlyAdmin):
    list_display = ["title", "listed", "season", "number", "episode", "review"]
    list_filter = [
        ("review", admin.EmptyFieldListFilter),
        ("episode", admin.EmptyFieldListFilter),
        "listed__source",
    ]
    list_select_related = ["listed", "episode__season"]
    search_fields = ["title", "listed__title"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
