"""What a person can do with scans."""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction
from kombu.exceptions import OperationalError

from aniworld_site.exceptions import DomainError
from aniworld_site.library import transitions
from aniworld_site.library.models import RootFolder, Scan, Series, SeriesFolder
from aniworld_site.library.scanner import run_scan
from aniworld_site.library.tasks import do_scan
from aniworld_site.library.transitions import (
    ScanRequest,
    claim_scan,
    follow,
    open_scan,
    release_stale_scans,
)

logger = logging.getLogger(__name__)


def request_scan(
    root: RootFolder,
    *,
    by: str,
    series: Series | None = None,
    is_full: bool = False,
    accepts_vanished: bool = False,
) -> Scan:
    """Ask the worker to scan a root, or in it one series; a second request joins the first.

    When the broker is away the request waits in the database, and the worker finds it within a minute of its return.

    Raises:
        DomainError: The root does not hold the series.
    """
    if (
        series is not None
        and not SeriesFolder.objects.filter(root=root, series=series).exists()
    ):
        raise DomainError(f"{root.name} has no folder of {series}.")
    scan, _is_new = open_scan(
        ScanRequest(
            root=root,
            by=by,
            series=series,
            is_full=is_full,
            accepts_vanished=accepts_vanished,
        )
    )
    transaction.on_commit(partial(_wake_worker, scan.pk))
    return scan


def request_series_scans(
    series: Series, *, by: str, is_full: bool = False
) -> list[Scan]:
    """Ask for a scan of one series in each root that has a folder of it.

    Raises:
        DomainError: No root has.
    """
    roots = RootFolder.objects.filter(series_folders__series=series).distinct()
    scans = [
        request_scan(root, by=by, series=series, is_full=is_full) for root in roots
    ]
    if not scans:
        raise DomainError(f"No root folder has a folder of {series}.")
    return scans


def cancel_scan(scan: Scan) -> None:
    """Ask that a scan stop. What it did until then stays.

    Raises:
        DomainError: It has ended already.
    """
    if not transitions.cancel_scan(scan):
        raise DomainError("That scan has ended already.")
    transaction.on_commit(partial(_wake_worker, scan.pk))


def run_scan_here(scan: Scan) -> bool:
    """Do a requested scan in this process, and the one that was asked for meanwhile; `False` when another process has it."""
    release_stale_scans()
    if not claim_scan(scan):
        return False
    run_scan(scan)
    if after := follow(scan):
        run_scan_here(after)
    return True


def _wake_worker(scan_id: int) -> None:
    try:
        do_scan.apply_async((scan_id,), retry=False)
    except OperationalError as error:
        logger.warning("Scan %s waits for the broker: %s", scan_id, error)
