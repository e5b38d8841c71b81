"""Root folders, their scans, and what about them needs a person."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import (
    OuterRef,
    QuerySet,
    Subquery,
)

from aniworld_site.disks import METER, Disk
from aniworld_site.library.models import (
    ACTIVE_STATES,
    EpisodeFile,
    RootFolder,
    Scan,
    SeriesFolder,
)
from aniworld_site.library.selectors.counting import count_rows
from aniworld_site.library.selectors.files import count_unmatched


@dataclass(slots=True, kw_only=True)
class RootState:
    """A root folder with what its page tells of it."""

    root: RootFolder
    unmatched: int
    """Files that a person has to look at."""
    series_count: int
    last_scan: Scan | None
    """The newest that ended."""
    active_scan: Scan | None
    disk: Disk | None = None
    """`None` for one that is offline, does not answer or was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should look at."""

    kind: str
    """offline, held, failed or unmatched."""
    root: RootFolder | None = None
    scan: Scan | None = None
    count: int = 0


def list_roots() -> list[RootState]:
    """Return the root folders by name, without their disks, in two queries."""
    latest = Scan.objects.filter(root=OuterRef("pk")).order_by("-requested_at", "-pk")
    unmatched = EpisodeFile.objects.unmatched().filter(root=OuterRef("pk"))
    folders = SeriesFolder.objects.filter(root=OuterRef("pk"), series__isnull=False)
    roots = RootFolder.objects.annotate(
        unmatched=count_rows(unmatched),
        series_count=count_rows(folders, of="series"),
        last_id=Subquery(latest.exclude(state__in=ACTIVE_STATES).values("pk")[:1]),
        active_id=Subquery(latest.active().values("pk")[:1]),
    )
    scans = Scan.objects.in_bulk(
        {pk for root in roots for pk in (root.last_id, root.active_id) if pk}
    )
    return [
        RootState(
            root=root,
            unmatched=root.unmatched,
            series_count=root.series_count,
            last_scan=scans.get(root.last_id),
            active_scan=scans.get(root.active_id),
        )
        for root in roots
    ]


def list_measured_roots() -> list[RootState]:
    """Return what `list_roots` does, and ask the disks of those that are online."""
    states = list_roots()
    disks = METER.measure(state.root.path for state in states if state.root.is_online)
    for state in states:
        state.disk = disks.get(state.root.path)
    return states


def list_notices() -> list[Notice]:
    """Return what needs a person, the most pressing first, in three queries."""
    states, unmatched = list_roots(), count_unmatched()
    roots = [state.root for state in states]
    notices = [
        Notice(kind="held", root=root, count=root.held_vanished)
        for root in roots
        if root.held_vanished
    ]
    notices += [
        Notice(kind="offline", root=root) for root in roots if not root.is_online
    ]
    for state in states:
        scan = state.last_scan
        if state.root.is_online and scan and scan.state == Scan.State.FAILED:
            notices.append(Notice(kind="failed", root=state.root, scan=scan))
    return notices + ([Notice(kind="unmatched", count=unmatched)] if unmatched else [])


def list_active_scans() -> list[Scan]:
    """Return the scans that wait or run, the first requested first, in one query."""
    return list(
        Scan.objects.active()
        .select_related("root", "series")
        .order_by("requested_at", "pk")
    )


def list_ended_scans() -> QuerySet[Scan]:
    """Return the scans that ended, the newest first, with root and series."""
    ended = Scan.objects.exclude(state__in=ACTIVE_STATES)
    return ended.select_related("root", "series")


def get_scan(pk: int) -> Scan | None:
    """Return a scan with root and series, in one query."""
    return Scan.objects.select_related("root", "series").filter(pk=pk).first()
