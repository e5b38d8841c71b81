"""The only writer of a scan's state: each move is one conditional UPDATE, and whoever finds no row came second."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from aniworld_site.library.models import ACTIVE_STATES, RootFolder, Scan, Series
from aniworld_site.library.signals import scan_finished, scan_requested, scan_started

# A runner beats about once a second. One silent for this long was killed, and its scan is taken up again.
STALE_AFTER = timedelta(seconds=15)
ATTEMPTS = 5


class LeaseLostError(Exception):
    """Another runner holds the scan, or nobody does any more: stop without writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What somebody asked to be read."""

    root: RootFolder
    by: str
    """Name of the user, or "system"."""
    series: Series | None = None
    """Only its folders; `None` is the whole root."""
    is_full: bool = False
    accepts_vanished: bool = False

    def covers(self, scan: Scan) -> bool:
        """Tell whether this asks for nothing that `scan` does not do anyway."""
        return (
            (
                scan.series_id is None
                or scan.series_id == (self.series and self.series.pk)
            )
            and scan.is_full >= self.is_full
            and scan.accepts_vanished >= self.accepts_vanished
        )


def open_scan(request: ScanRequest) -> tuple[Scan, bool]:
    """Return the root's active scan, and whether it is new.

    A second request joins the first. When it asks for more, a waiting scan is widened, and a running one is followed by another.
    """
    for _attempt in range(ATTEMPTS):
        active = (
            Scan.objects.active()
            .select_related("root", "series")
            .filter(root=request.root)
            .first()
        )
        if active is None:
            try:
                with transaction.atomic():
                    scan = Scan.objects.create(
                        root=request.root,
                        series=request.series,
                        requested_by=request.by,
                        is_full=request.is_full,
                        accepts_vanished=request.accepts_vanished,
                    )
            except IntegrityError:
                continue  # Somebody asked at the same moment: join theirs.
            scan_requested.send(Scan, scan=scan)
            return scan, True
        if _join(active, request):
            return active, False
    raise LeaseLostError(
        f"The scans of {request.root.name} end and begin too quickly to join one."
    )


def _join(scan: Scan, request: ScanRequest) -> bool:
    if request.covers(scan):
        return True
    wider = {
        "is_full": scan.is_full or request.is_full,
        "accepts_vanished": scan.accepts_vanished or request.accepts_vanished,
    }
    if scan.state == Scan.State.QUEUED:
        series_id = (
            scan.series_id
            if request.series and request.series.pk == scan.series_id
            else None
        )
        return (
            Scan.objects.filter(pk=scan.pk, state=Scan.State.QUEUED).update(
                series_id=series_id, **wider
            )
            == 1
        )
    again = (
        {"is_again_requested": True}
        | ({"again_is_full": True} if request.is_full else {})
        | ({"again_accepts_vanished": True} if request.accepts_vanished else {})
    )
    return (
        Scan.objects.filter(pk=scan.pk, state=Scan.State.RUNNING).update(**again) == 1
    )


def claim_scan(scan: Scan) -> bool:
    """Take a waiting scan for this process; `False` when another has it, or it ended."""
    lease, now = secrets.token_hex(16), timezone.now()
    claimed = Scan.objects.filter(
        pk=scan.pk, state=Scan.State.QUEUED, is_cancel_requested=False
    ).update(
        state=Scan.State.RUNNING,
        lease=lease,
        heartbeat_at=now,
        started_at=now,
        current=0,
        total=0,
        percent=0,
        folder="",
    )
    if claimed:
        scan.refresh_from_db()
        scan_started.send(Scan, scan=scan)
    return bool(claimed)


def beat(scan: Scan) -> bool:
    """Keep the lease and save the progress; return whether a cancel was asked for. One query, two at most.

    Raises:
        LeaseLostError: The scan was given to another runner.
    """
    _write(
        scan,
        {"heartbeat_at": timezone.now()},
        ("current", "total", "percent", "folder"),
    )
    return bool(Scan.objects.filter(pk=scan.pk, is_cancel_requested=True).exists())


def finish_scan(scan: Scan) -> None:
    """End a scan well.

    Raises:
        LeaseLostError: The scan was given to another runner.
    """
    counts = (
        "current",
        "total",
        "percent",
        "series_found",
        "added",
        "updated",
        "moved",
        "vanished",
        "held",
        "unmatched",
        "problems",
    )
    _end(scan, Scan.State.DONE, counts)


def fail_scan(scan: Scan, error: str, *, cancelled: bool = False) -> None:
    """End a scan badly. `error` is a sentence for the person who reads the page.

    Raises:
        LeaseLostError: The scan was given to another runner.
    """
    scan.error = error[:500]
    _end(
        scan,
        Scan.State.CANCELLED if cancelled else Scan.State.FAILED,
        (
            "error",
            "current",
            "total",
            "added",
            "updated",
            "moved",
            "vanished",
            "problems",
        ),
    )


def release_scan(scan: Scan) -> None:
    """Give a scan that this process cannot end back to the queue.

    Raises:
        LeaseLostError: The scan was given to another runner.
    """
    _write(scan, {"state": Scan.State.QUEUED, "lease": ""}, ())


def cancel_scan(scan: Scan) -> bool:
    """Ask that a scan stop; one that nobody has begun ends at once. `False` when it had ended already."""
    if Scan.objects.filter(pk=scan.pk, state=Scan.State.QUEUED).update(
        state=Scan.State.CANCELLED,
        finished_at=timezone.now(),
        error="Cancelled before it began.",
    ):
        scan.refresh_from_db()
        scan_finished.send(Scan, scan=scan)
        return True
    return (
        Scan.objects.filter(pk=scan.pk, state=Scan.State.RUNNING).update(
            is_cancel_requested=True
        )
        == 1
    )


def release_stale_scans() -> list[Scan]:
    """Return scans whose runner fell silent to the queue, or end them where a cancel was asked for; then list all that wait."""
    stale = Scan.objects.filter(
        state=Scan.State.RUNNING, heartbeat_at__lt=timezone.now() - STALE_AFTER
    )
    for scan in stale.select_related("root", "series"):
        still = Scan.objects.filter(
            pk=scan.pk,
            state=Scan.State.RUNNING,
            lease=scan.lease,
            heartbeat_at=scan.heartbeat_at,
        )
        if scan.is_cancel_requested:
            if still.update(
                state=Scan.State.CANCELLED,
                finished_at=timezone.now(),
                lease="",
                error="Cancelled.",
            ):
                scan.refresh_from_db()
                scan_finished.send(Scan, scan=scan)
        else:
            still.update(state=Scan.State.QUEUED, lease="")
    for scan in (
        Scan.objects.filter(is_again_requested=True)
        .exclude(state__in=ACTIVE_STATES)
        .select_related("root")
    ):
        follow(scan)
    return list(
        Scan.objects.filter(state=Scan.State.QUEUED).select_related("root", "series")
    )


def follow(scan: Scan) -> Scan | None:
    """Open the scan that was asked for while this one ran; `None` when none was. Done twice, the second joins the first."""
    scan.refresh_from_db(
        fields=[
            "is_again_requested",
            "again_is_full",
            "again_accepts_vanished",
            "state",
        ]
    )
    if not scan.is_again_requested or scan.is_active:
        return None
    after, _is_new = open_scan(
        ScanRequest(
            root=scan.root,
            by=scan.requested_by,
            is_full=scan.again_is_full,
            accepts_vanished=scan.again_accepts_vanished,
        )
    )
    Scan.objects.filter(pk=scan.pk).update(is_again_requested=False)
    return after


def _end(scan: Scan, state: Scan.State, fields: Iterable[str]) -> None:
    scan.state, scan.finished_at = state, timezone.now()
    _write(scan, {"state": state, "finished_at": scan.finished_at, "lease": ""}, fields)
    scan_finished.send(Scan, scan=scan)


def _write(scan: Scan, values: dict[str, object], fields: Iterable[str]) -> None:
    values |= {name: getattr(scan, name) for name in fields}
    if not Scan.objects.filter(
        pk=scan.pk, state=Scan.State.RUNNING, lease=scan.lease
    ).update(**values):
        raise LeaseLostError(f"Scan {scan.pk} is no longer this process's.")
