"""Asking for scans from the admin, and showing how far they are and when they were."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aniworld_site.exceptions import DomainError
from aniworld_site.library import services
from aniworld_site.library.models import RootFolder, Scan, Series

# What ends or begins a scan, or changes what a root's row says: pages that show these read themselves again.
REFRESH_ON = "scan_started scan_complete scan_failed"


def may_scan(request: HttpRequest) -> bool:
    return request.user.has_perm("library.scan_rootfolder")


def start_scan(
    request: HttpRequest,
    root: RootFolder,
    *,
    series: Series | None = None,
    accepts_vanished: bool = False,
) -> bool:
    """Ask for a scan and tell the person what became of it; `False` when it was refused."""
    running = set(Scan.objects.active().filter(root=root).values_list("pk", flat=True))
    try:
        scan = services.request_scan(
            root,
            by=request.user.get_username(),
            series=series,
            accepts_vanished=accepts_vanished,
        )
    except DomainError as error:
        messages.error(request, str(error))
        return False
    url = reverse("admin:library_scan_change", args=[scan.pk])
    if scan.pk in running:
        messages.info(
            request,
            format_html(
                '{} is being scanned already: the request joined <a href="{}">that scan</a>.',
                root.name,
                url,
            ),
        )
    elif series is not None:
        messages.success(
            request,
            format_html(
                '<a href="{}">A scan</a> of {} in {} has started.',
                url,
                series.title,
                root.name,
            ),
        )
    else:
        messages.success(
            request,
            format_html('<a href="{}">A scan</a> of {} has started.', url, root.name),
        )
    return True


def show_progress(scan: Scan) -> SafeString:
    """Return a bar that is right when the page is made, and that `live.js` keeps right: what it stands in joins the room."""
    percent = f"{scan.percent:.0f}"
    return format_html(
        '<span class="scan-progress" data-live-on="scan_progress" data-live-match="scan_id={}">'
        '<progress max="100" value="{}" aria-label="Progress of the scan" data-live-value="percent"></progress> '
        '<span data-live-text="percent">{}</span>\u00a0%</span>',
        scan.pk,
        percent,
        percent,
    )


def show_state(scan: Scan) -> SafeString:
    """Return the state in words, with a bar while it runs."""
    if scan.state == Scan.State.RUNNING:
        words = "stopping" if scan.is_cancel_requested else "running"
        return format_html("{} {}", words, show_progress(scan))
    return format_html("{}", scan.get_state_display())


def show_moment(moment: datetime) -> SafeString:
    """Return what a narrow column has room for, and the rest for those who point at it."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        f"{local:%Y-%m-%d %H:%M}",
    )
