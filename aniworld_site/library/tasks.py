"""What the worker does for the library. The database is the queue: a task only says "look"."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from aniworld_site.library.journal import find_absence
from aniworld_site.library.models import RootFolder, Scan
from aniworld_site.library.scanner import run_scan, shutting_down
from aniworld_site.library.transitions import (
    ScanRequest,
    claim_scan,
    follow,
    open_scan,
    release_stale_scans,
)
from aniworld_site.library.upkeep import empty_trash, settle_operations
from aniworld_site.runs import alone


@shared_task(ignore_result=True)
def do_scan(scan_id: int) -> None:
    scan = Scan.objects.select_related("root", "series").filter(pk=scan_id).first()
    if scan is not None and claim_scan(scan):
        run_scan(scan)
        if after := follow(scan):
            do_scan.delay(after.pk)


@shared_task(ignore_result=True)
@alone("sweep-scans", is_quiet=True)
def sweep_scans() -> int:
    waiting = release_stale_scans()
    for scan in waiting:
        do_scan.delay(scan.pk)
    return len(waiting)


@shared_task(ignore_result=True)
@alone("scan-roots")
def scan_roots() -> None:
    # One that was away is read again as soon as it is back; a scan of what is still away would only fail.
    for root in RootFolder.objects.all():
        if root.is_online or not find_absence(root):
            scan, _is_new = open_scan(ScanRequest(root=root, by="system"))
            do_scan.delay(scan.pk)


@shared_task(ignore_result=True)
@alone("settle-files")
def settle_files() -> None:
    settle_operations()
    if settings.TRASH_DAYS:
        empty_trash(older_than=timedelta(days=settings.TRASH_DAYS))


@worker_shutting_down.connect
def stop_scans(**_kwargs: Any) -> None:
    shutting_down.set()
