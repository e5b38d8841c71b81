"""Taking up what is next: one at a time and only one process at once, within all limits."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.downloads.ordering import lock_queue
from aniworld_site.downloads.signals import download_changed

State, Wait = Download.State, Download.Wait

LOOK_AT = 50
"""Candidates that are looked at each time; those without room are set aside, so the next look finds others."""
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
    if sum(not each.is_forced for each in running) >= queue.concurrency:
        candidates = candidates.filter(is_forced=True)
    for download in candidates.select_related("root", "source").order_by(
        "-is_forced", "position", "pk"
    )[:LOOK_AT]:
        if download.root is None or download.root.pk not in rooms:
            lack = "Its folder is not there: connect its disk, or add a root folder."
            wait = Wait.ROOT
        else:
            lack, wait = _find_lack(queue, download, rooms, running), Wait.DISK
        if not lack:
            moved.append((download, download.state))
            _start(download)
            return download
        if _hold(download, wait, lack):
            moved.append((download, State.QUEUED))
    return None


def _list_busy_sources(running: list[Download]) -> list[int]:
    """Return the sources that start nothing now: full, at rest, between two starts, or switched off."""
    now = timezone.now()
    counts = Counter(download.source_id for download in running)
    return [
        source.pk
        for source in Source.objects.all()
        if not source.is_enabled
        or counts[source.pk] >= source.concurrency
        or (source.rests_until is not None and source.rests_until > now)
        or (source.next_start_at is not None and source.next_start_at > now)
    ]


def _find_lack(
    queue: Queue,
    download: Download,
    rooms: Mapping[int, Room],
    running: list[Download],
) -> str:
    """Return why a download has no room, as a sentence; "" where it has."""
    assert download.root is not None  # noqa: S101  # Told to the type checker; the caller looked.
    room = rooms[download.root.pk]
    reserved = sum(
        _get_rest(other)
        for other in running
        if (its := rooms.get(other.root_id or 0)) and its.device == room.device
    )
    floor = queue.floor_mib * MIB
    needed = _get_rest(download)
    if needed + reserved + floor <= room.free_bytes:
        return ""
    return (
        f"Needs {filesizeformat(needed)} on {download.root}, which has {filesizeformat(room.free_bytes)} free: "
        f"{filesizeformat(reserved)} of it are reserved by others, {filesizeformat(floor)} stay free. It goes on by itself."
    ).replace("\xa0", " ")


def _get_rest(download: Download) -> int:
    return max(0, (download.size_bytes or 0) - download.bytes_done)


def _start(download: Download) -> None:
    now = timezone.now()
    download.state, download.lease = State.ACTIVE, secrets.token_hex(16)
    download.heartbeat_at, download.started_at = now, now
    download.starts += 1
    download.wait = download.reason = ""
    download.save(
        update_fields=[
            "state",
            "lease",
            "heartbeat_at",
            "started_at",
            "starts",
            "wait",
            "reason",
        ]
    )
    if download.source is not None and download.source.delay_s:
        download.source.next_start_at = now + timedelta(seconds=download.source.delay_s)
        download.source.save(update_fields=["next_start_at"])


def _hold(download: Download, wait: str, reason: str) -> bool:
    """Set a download aside until there is room; tell whether that is new."""
    is_new = download.state != State.WAITING or download.reason != reason
    download.state, download.wait, download.reason = State.WAITING, wait, reason
    download.due_at = timezone.now() + DISK_AGAIN
    download.save(update_fields=["state", "wait", "reason", "due_at"])
    return is_new
