"""Files and folders in the admin: what a scan saw, and what a person decides about it.

Names on a disk need not be valid text, so every one is shown through `printable`; the rows themselves keep the bytes.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from aniworld_site.library import services
from aniworld_site.library.admin.printing import PrintableMixin
from aniworld_site.library.admin.refusals import RefusalMixin
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    Series,
    SeriesFolder,
)
from aniworld_site.library.naming import printable

BY_HAND = "by hand"


class EpisodeChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    def label_from_instance(self, obj: Episode) -> str:
        return f"{obj} {obj.title}".strip()


class EpisodeFileLinkInline(admin.TabularInline):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    model = EpisodeFileLink
    fields = ["episode", "part", "how", "confidence", "is_locked"]
    readonly_fields = ["how", "confidence", "is_locked"]
    extra = 1
    verbose_name, verbose_name_plural = (
        "episode",
        "episodes in this file (a change here is by hand, and no scan undoes it)",
    )

    def get_formset(
        self, request: HttpRequest, obj: EpisodeFile | None = None, **kwargs: Any
    ) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        field = formset.form.base_fields.get("episode")
        if obj is not None and isinstance(field, EpisodeChoiceField):
            choosable = Episode.objects.filter(
                Q(season__series=obj.series_id) | Q(links__file=obj)
            ).distinct()
            field.queryset = choosable.select_related("season").order_by(
                "season__number", "number", "label"
            )
            # Made once: each row would ask again for what may be a thousand episodes.
            field.choices = list(cast(Any, field.choices))
        return formset

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "episode":
            return EpisodeChoiceField(queryset=Episode.objects.none())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class FoundAdmin(RefusalMixin, PrintableMixin):
    """Rows that a scan makes and drops: a person decides only what they are."""

    list_select_related = ["root", "series"]
    show_full_result_count = False
    autocomplete_fields = ["series"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # The next scan would bring the row back; a scan drops it when the file is gone.

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "series":
            # Beside the choice of a series, the button that deletes the chosen one is too near.
            field.widget.can_delete_related = False
        return field


class EpisodeFileForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    def clean_series(self) -> Series | None:
        series: Series | None = self.cleaned_data["series"]
        others = Episode.objects.filter(links__file=self.instance)
        if (
            "series" in self.changed_data
            and (others.exclude(season__series=series) if series else others).exists()
        ):
            raise forms.ValidationError(
                "It is linked to episodes of another series. Delete these links and save, then choose the series."
            )
        return series


@admin.register(EpisodeFile)
class EpisodeFileAdmin(FoundAdmin):
    form = EpisodeFileForm
    list_display = [
        "shown_name",
        "shown_folder",
        "root",
        "series",
        "match",
        "is_locked",
        "size",
        "added_at",
        "vanished_at",
    ]
    list_filter = [
        "match",
        "is_locked",
        "root",
        ("vanished_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "folder"]
    actions = ["ignore", "unignore"]
    inlines = [EpisodeFileLinkInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "shown_name",
                    "shown_folder",
                    "root",
                    "series",
                    "match",
                    "shown_reason",
                    "is_locked",
                ]
            },
        ),
        (
            "What a scan saw",
            {"fields": ["size", "facts_read", "added_at", "vanished_at"]},
        ),
    ]
    readonly_fields = [
        "shown_name",
        "shown_folder",
        "root",
        "match",
        "shown_reason",
        "size",
        "facts_read",
        "added_at",
        "vanished_at",
    ]

    @admin.display(description="name", ordering="name")
    def shown_name(self, file: EpisodeFile) -> str:
        return printable(file.name)

    @admin.display(description="folder", ordering="folder")
    def shown_folder(self, file: EpisodeFile) -> str:
        return printable(file.folder)

    @admin.action(description="Ignore", permissions=["change"])
    def ignore(self, request: HttpRequest, queryset: QuerySet[EpisodeFile]) -> None:
        changed = services.ignore_files(
            EpisodeFile.objects.filter(pk__in=queryset.order_by().values("pk"))
        )
        messages.success(request, f"Ignored: {changed}.")

    @admin.action(description="Back to the unmatched list", permissions=["change"])
    def unignore(self, request: HttpRequest, queryset: QuerySet[EpisodeFile]) -> None:
        changed = services.unignore_files(
            EpisodeFile.objects.filter(pk__in=queryset.order_by().values("pk"))
        )
        messages.success(request, f"No longer ignored: {changed}.")

    @admin.display(description="why")
    def shown_reason(self, file: EpisodeFile) -> str:
        return printable(file.reason)

    @admin.display(description="size", ordering="size_bytes")
    def size(self, file: EpisodeFile) -> str:
        return filesizeformat(file.size_bytes)

    @admin.display(description="what its name says")
    def facts_read(self, file: EpisodeFile) -> str:
        return printable(json.dumps(file.facts, ensure_ascii=False))

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: Any
    ) -> None:
        file: EpisodeFile = form.instance
        episodes = set(file.links.values_list("episode_id", flat=True))
        formset.save(commit=False)
        if not formset.has_changed():
            return
        for link in formset.deleted_objects:
            link.delete()
        for link in [
            *formset.new_objects,
            *(changed for changed, _fields in formset.changed_objects),
        ]:
            link.is_locked, link.how, link.confidence = True, BY_HAND, 1.0
            link.save()
        services.settle_links(file, were=episodes)


@admin.register(SeriesFolder)
class SeriesFolderAdmin(FoundAdmin):
    list_display = [
        "shown_name",
        "root",
        "series",
        "is_ignored",
        "is_locked",
        "shown_reason",
    ]
    list_filter = [
        "root",
        "is_ignored",
        "is_locked",
        ("series", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "series__title"]
    fields = ["shown_name", "root", "series", "is_ignored", "is_locked", "shown_reason"]
    readonly_fields = ["shown_name", "root", "is_locked", "shown_reason"]

    @admin.display(description="folder", ordering="name")
    def shown_name(self, folder: SeriesFolder) -> str:
        return printable(folder.name)

    @admin.display(description="why")
    def shown_reason(self, folder: SeriesFolder) -> str:
        return printable(folder.reason)

    def save_model(
        self, request: HttpRequest, obj: SeriesFolder, form: Any, change: Any
    ) -> None:
        if not form.has_changed():
            return
        if obj.is_ignored:
            services.ignore_folder(obj.root, obj.name)
        elif obj.series is not None:
            services.assign_folder(obj.root, obj.name, series=obj.series)
        else:
            # Neither: nobody has decided, so the next scan may.
            obj.is_locked, obj.reason = False, "Left to the next scan by hand."
            obj.save()
