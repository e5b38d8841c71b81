"""Scans in the admin: to read and to cancel, live while they run; a scan is asked for at its root folder."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from aniworld_site.exceptions import DomainError
from aniworld_site.library import services
from aniworld_site.library.admin.scanning import (
    REFRESH_ON,
    may_scan,
    show_moment,
    show_state,
)
from aniworld_site.library.models import Scan
from aniworld_site.library.naming import printable


@admin.register(Scan)
class ScanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    list_display = [
        "number",
        "root",
        "what",
        "progress",
        "found",
        "requested_by",
        "requested",
        "duration",
    ]
    list_filter = ["state", "root"]
    list_select_related = ["root", "series"]
    search_fields = ["requested_by", "error", "root__name", "series__title"]
    show_full_result_count = False
    actions = None
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "root",
                    "what",
                    "progress",
                    "reading",
                    "requested_by",
                    "requested_at",
                    "started_at",
                    "finished_at",
                    "duration",
                    "reason",
                ]
            },
        ),
        (
            "What it found",
            {
                "fields": [
                    "current",
                    "total",
                    "series_found",
                    "added",
                    "updated",
                    "moved",
                    "vanished",
                    "held",
                    "unmatched",
                    "problem_list",
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Scan | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Scan | None = None
    ) -> bool:
        return False

    @admin.display(description="scan", ordering="pk")
    def number(self, scan: Scan) -> int:
        return scan.pk

    @admin.display(description="of")
    def what(self, scan: Scan) -> str:
        what = scan.series.title if scan.series else "everything"
        return f"{what}, reading each name again" if scan.is_full else what

    @admin.display(description="state", ordering="state")
    def progress(self, scan: Scan) -> str:
        return show_state(scan)

    @admin.display(description="reading")
    def reading(self, scan: Scan) -> str:
        return printable(scan.folder) if scan.is_active else ""

    @admin.display(description="found")
    def found(self, scan: Scan) -> str:
        """Return what a list has room for: what changed, or why it ended."""
        counts = {
            "new": scan.added,
            "changed": scan.updated,
            "gone": scan.vanished,
            "held back": scan.held,
            "unmatched": scan.unmatched,
        }
        return printable(scan.error) or ", ".join(
            f"{count} {what}" for what, count in counts.items() if count
        )

    @admin.display(description="requested", ordering="requested_at")
    def requested(self, scan: Scan) -> SafeString:
        return show_moment(scan.requested_at)

    @admin.display(description="took")
    def duration(self, scan: Scan) -> str:
        if scan.started_at is None:
            return ""
        return str(
            timedelta(
                seconds=round(
                    (
                        (scan.finished_at or timezone.now()) - scan.started_at
                    ).total_seconds()
                )
            )
        )

    @admin.display(description="why it ended")
    def reason(self, scan: Scan) -> str:
        return printable(scan.error)

    @admin.display(description="could not be read")
    def problem_list(self, scan: Scan) -> str:
        return (
            format_html_join(
                "",
                "<p>{}</p>",
                ((printable(str(problem)),) for problem in scan.problems),
            )
            or "nothing"
        )

    def get_urls(self) -> list[URLPattern]:
        cancel = path(
            "<int:pk>/cancel/",
            self.admin_site.admin_view(self.cancel_view),
            name="library_scan_cancel",
        )
        return [cancel, *super().get_urls()]

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_scan(request):
            raise PermissionDenied
        scan = self.get_object(request, str(pk))
        if scan is None:
            messages.error(request, "This scan is gone.")
            return HttpResponseRedirect(reverse("admin:library_scan_changelist"))
        try:
            services.cancel_scan(scan)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The scan was asked to stop.")
        return HttpResponseRedirect(reverse("admin:library_scan_change", args=[pk]))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "refresh_on": REFRESH_ON}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        return super().change_view(
            request,
            object_id,
            form_url,
            {
                **(extra_context or {}),
                "refresh_on": REFRESH_ON,
                "may_scan": may_scan(request),
            },
        )
