"""Taking up what is next: one at a time and only one process at once, within all limits."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.downloads.ordering import lock_queue
from aniworld_site.downloads.selectors import explain_source
from aniworld_site.downloads.signals import download_changed

State = Download.State
Wait = Download.Wait

FORCED_AT_ONCE = 16
"""Beside those that the limits allow: a process each is started for them."""
LOOK_AT = 50
"""Downloads of which one is chosen."""
DISK_AGAIN = timedelta(seconds=5)
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """What a root folder's disk has free."""

    device: int
    """Roots on one disk share it."""
    free_bytes: int


def is_anything_claimable() -> bool:
    """Tell whether a look at the queue may find something, without a lock."""
    return (
        _get_candidates().exists()
        and Queue.objects.filter(pk=1, state=Queue.State.RUNNING).exists()
    )


def claim_next(rooms: Mapping[int, Room]) -> Download | None:
    """Take the next download that may start for this process; None where none may.

    `rooms` is by root folder's primary key, asked outside of any transaction; of a root that is not in it nothing starts. What finds no
    room waits for it, says so, and is looked at again after some seconds.
    """
    moved: list[tuple[Download, str]] = []
    claimed: Download | None = None
    with transaction.atomic():
        # Only who holds the queue's row takes something up, so that two workers never count the same slot.
        queue = lock_queue()
        if queue.state == Queue.State.RUNNING:
            claimed = _claim(queue, rooms, moved)
    for download, was in moved:
        download_changed.send(Download, download=download, was=was)
    return claimed


def _get_candidates() -> QuerySet[Download]:
    now = timezone.now()
    is_due = Q(due_at=None) | Q(due_at__lte=now)
    return Download.objects.filter(
        is_due, state__in=[State.QUEUED, State.WAITING]
    ).exclude(root__is_online=False)


def _claim(
    queue: Queue, rooms: Mapping[int, Room], moved: list[tuple[Download, str]]
) -> Download | None:
    running = list(Download.objects.running().select_related("root"))
    candidates = _get_candidates().exclude(
        Q(is_forced=False) & Q(source__in=_list_busy_sources(running))
    )
    # A forced one takes no place that another may have.
    forced = sum(each.is_forced for each in running)
    if len(running) - forced >= queue.concurrency:
        candidates = candidates.filter(is_forced=True)
    if forced >= FORCED_AT_ONCE:
        candidates = candidates.filter(is_forced=False)
    available = _measure_available(queue, rooms, running)
    fitting = candidates.filter(_fits(available))
    _set_aside(candidates, available, rooms, moved)
    ordered = fitting.select_related("root", "source").order_by(
        "-is_forced", "position", "pk"
    )
    # More than the first, since a person may move one between the look and the write.
    for download in ordered[:LOOK_AT]:
        was = download.state
        if _start(download):
            moved.append((download, was))
            return download
    return None


def _measure_available(
    queue: Queue, rooms: Mapping[int, Room], running: list[Download]
) -> dict[int, int]:
    """Return how many bytes one more download may take, by root: without what stays free and what others have reserved."""
    reserved: Counter[int] = Counter()
    for other in running:
        if its := rooms.get(other.root_id or 0):
            reserved[its.device] += _get_rest(other)
    floor = queue.floor_mib * MIB
    return {
        pk: room.free_bytes - floor - reserved[room.device]
        for pk, room in rooms.items()
    }


def _fits(available: Mapping[int, int]) -> Q:
    fits = Q(pk__in=[])
    for root_id, count in available.items():
        # One whose size is unknown may try while there is any room.
        is_known = Q(size_bytes__lte=F("bytes_done") + count)
        fits |= Q(root=root_id) & (
            is_known | Q(size_bytes=None) if count > 0 else is_known
        )
    return fits


def _set_aside(
    candidates: QuerySet[Download],
    available: Mapping[int, int],
    rooms: Mapping[int, Room],
    moved: list[tuple[Download, str]],
) -> None:
    """Have the first that finds no room wait for it and say so, and look at those that wait already later again.

    One for each root: of a thousand that do not fit each would else be written every few seconds.
    """
    lacking = candidates.exclude(_fits(available))
    waits = Q(state=State.WAITING, wait__in=[Wait.DISK, Wait.ROOT])
    lacking.filter(waits).update(due_at=timezone.now() + DISK_AGAIN)
    taken = set(Download.objects.filter(waits).values_list("root", flat=True))
    first_of: dict[int | None, Download] = {}
    for download in (
        lacking.filter(state=State.QUEUED)
        .select_related("root")
        .order_by("position", "pk")[:LOOK_AT]
    ):
        if download.root_id not in taken:
            first_of.setdefault(download.root_id, download)
    for download in first_of.values():
        wait, reason = _describe_lack(download, available, rooms)
        if _hold(download, wait, reason):
            moved.append((download, State.QUEUED))


def _describe_lack(
    download: Download, available: Mapping[int, int], rooms: Mapping[int, Room]
) -> tuple[Download.Wait, str]:
    root = download.root
    if root is None or root.pk not in rooms:
        reason = "Its folder is not there: connect its disk, or add a root folder."
        return Wait.ROOT, reason
    needed, free = _get_rest(download), rooms[root.pk].free_bytes
    kept = free - available[root.pk]
    reason = f"Needs {filesizeformat(needed)} on {root}, which has {filesizeformat(free)} free; {filesizeformat(kept)} of it are reserved or stay free. It goes on by itself."
    return Wait.DISK, reason.replace("\xa0", " ")


def _list_busy_sources(running: list[Download]) -> list[int]:
    """Return the sources that start nothing now: full, at rest, between two starts, or switched off."""
    now = timezone.now()
    counts = Counter(download.source_id for download in running)
    return [
        source.pk
        for source in Source.objects.all()
        if explain_source(source, counts[source.pk], now)
    ]


def _get_rest(download: Download) -> int:
    return max(0, (download.size_bytes or 0) - download.bytes_done)


def _start(download: Download) -> bool:
    """Take a download for this process; `False` where somebody moved it meanwhile."""
    now = timezone.now()
    lease = secrets.token_hex(16)
    started = _write(
        download,
        state=State.ACTIVE,
        lease=lease,
        heartbeat_at=now,
        started_at=now,
        starts=download.starts + 1,
        wait="",
        reason="",
    )
    if started and download.source is not None and download.source.delay_s:
        download.source.next_start_at = now + timedelta(seconds=download.source.delay_s)
        download.source.save(update_fields=["next_start_at"])
    return started


def _hold(download: Download, wait: Download.Wait, reason: str) -> bool:
    """Set a download aside until there is room; `False` where somebody moved it meanwhile."""
    return _write(
        download,
        state=State.WAITING,
        wait=wait,
        reason=reason,
        due_at=timezone.now() + DISK_AGAIN,
    )


def _write(download: Download, **values: Any) -> bool:
    # Whoever pauses one holds no lock on the queue.
    written = Download.objects.filter(pk=download.pk, state=download.state).update(
        **values
    )
    for name, value in values.items():
        setattr(download, name, value)
    return written == 1
