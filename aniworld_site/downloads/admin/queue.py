"""The queue in the admin: its downloads to read and to steer, its settings to change. What state something is in is never edited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from aniworld_site.downloads import services
from aniworld_site.downloads.forms import QueueSettingsForm
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.services import Outcome

Do = Callable[[QuerySet[Download]], Outcome]


class QueueForm(QueueSettingsForm):
    class Meta:
        model = Queue
        fields = (
            "concurrency",
            "limit_kib_per_s",
            "floor_mib",
            "template",
            "writes_nfo",
        )


@admin.register(Queue)
class QueueAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    form: type[forms.ModelForm[Queue]] = QueueForm
    list_display = ["__str__", "concurrency", "limit_kib_per_s", "changed_by"]
    readonly_fields = ["state", "paused_until", "changed_by", "changed_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Queue, form: Any, change: Any
    ) -> None:
        # Not its state, which somebody may change meanwhile.
        obj.save(update_fields=form.changed_data)


@admin.register(Download)
class DownloadAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # As above.
    list_display = [
        "id",
        "what",
        "state",
        "progress",
        "source",
        "reason",
        "requested_by",
        "added_at",
    ]
    list_filter = ["state", "wait", "source"]
    list_select_related = ["episode__season__series", "source"]
    search_fields = ["episode__season__series__title", "reason"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = ["pause", "resume", "cancel", "retry", "take_off"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # By the action, which leaves what has not ended.
        return False

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("downloads.control_queue")

    @admin.display(description="episode")
    def what(self, download: Download) -> str:
        return f"{download.episode.season.series} {download.episode}"

    @admin.display(description="percent")
    def progress(self, download: Download) -> float:
        return download.percent

    @admin.action(description="Pause", permissions=["control"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Download]) -> None:
        _steer(request, services.pause_downloads, queryset)

    @admin.action(description="Resume", permissions=["control"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Download]) -> None:
        _steer(request, services.resume_downloads, queryset)

    @admin.action(description="Cancel, keep what came", permissions=["control"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Download]) -> None:
        _steer(request, partial(services.cancel_downloads, keeps_part=True), queryset)

    @admin.action(description="Try again", permissions=["control"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Download]) -> None:
        _steer(request, services.retry_downloads, queryset)

    @admin.action(description="Take off the list", permissions=["control"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[Download]) -> None:
        _steer(request, services.remove_downloads, queryset)


def _steer(request: HttpRequest, do: Do, chosen: QuerySet[Download]) -> None:
    # The list's own order and joins are nothing to what is done with each.
    outcome = do(Download.objects.filter(pk__in=chosen.values("pk")))
    for refusal in outcome.refusals:
        messages.warning(request, refusal)
    if outcome.done:
        messages.success(request, f"{outcome.done} done.")
