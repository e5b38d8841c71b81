"""Taking up what is next: one at a time and only one process at once, within all limits."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from aniworld_site.downloads.models import LONGEST_WAIT, Download, Queue, Source
from aniworld_site.downloads.ordering import lock_queue
from aniworld_site.downloads.selectors import explain_source
from aniworld_site.downloads.signals import download_changed

State = Download.State
Wait = Download.Wait

FORCED_AT_ONCE = 16
"""Beside those that the limits allow: a process each is started for them."""
GUESSED_BYTES = 2 << 30
"""Kept for what runs and does not say its size."""
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


@dataclass(frozen=True, slots=True)
class Available:
    """What one more download may take of a root folder's disk: without what stays free and what others have reserved."""

    count: int
    """Bytes, and less than nothing where the others take more than there is."""
    is_idle: bool
    """Nothing else is being written there."""

    @property
    def may_guess(self) -> bool:
        """Whether one of unknown size may start: it takes what it wants, so beside others only where there is plenty."""
        return self.count >= GUESSED_BYTES or (self.is_idle and self.count > 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """A download that this process runs from now on."""

    download: Download
    most_bytes: int
    """Of its file, with what is there: for more there is no room."""


def is_anything_claimable() -> bool:
    """Tell whether a look at the queue may find something, without a lock."""
    return (
        _get_candidates().exists()
        and Queue.objects.filter(pk=1, state=Queue.State.RUNNING).exists()
    )


def claim_next(
    rooms: Mapping[int, Room], *, busy: Collection[int] = ()
) -> Claim | None:
    """Take the next download that may start for this process; None where none may.

    `rooms` is by root folder's primary key, asked outside of any transaction; of a root that is not in it nothing starts. What finds no
    room waits for it, says so, and is looked at again after some seconds. `busy` are downloads that this process cannot run now.
    """
    moved: list[tuple[Download, str]] = []
    claimed: Claim | None = None
    with transaction.atomic():
        # Only who holds the queue's row takes something up, so that two workers never count the same slot.
        queue = lock_queue()
        if queue.state == Queue.State.RUNNING:
            claimed = _claim(queue, rooms, busy, moved)
    for download, was in moved:
        download_changed.send(Download, download=download, was=was)
    return claimed


def _get_candidates() -> QuerySet[Download]:
    now = timezone.now()
    # No wait is longer than a day: one that is was written by a clock that was ahead.
    is_due = Q(due_at=None) | Q(due_at__lte=now) | Q(due_at__gt=now + LONGEST_WAIT)
    return Download.objects.filter(
        is_due, state__in=[State.QUEUED, State.WAITING]
    ).exclude(root__is_online=False)


def _claim(
    queue: Queue,
    rooms: Mapping[int, Room],
    busy: Collection[int],
    moved: list[tuple[Download, str]],
) -> Claim | None:
    running = list(Download.objects.running().select_related("root"))
    candidates = (
        _get_candidates()
        .exclude(pk__in=busy)
        .exclude(Q(is_forced=False) & Q(source__in=_list_busy_sources(running)))
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
            room = available[download.root_id or 0].count
            most_bytes = max(0, room) + download.bytes_done
            return Claim(download=download, most_bytes=most_bytes)
    return None


def _measure_available(
    queue: Queue, rooms: Mapping[int, Room], running: list[Download]
) -> dict[int, Available]:
    """Return what one more download may take, by root."""
    reserved: Counter[int] = Counter()
    for other in running:
        if its := rooms.get(other.root_id or 0):
            reserved[its.device] += _get_rest(other, guessed=GUESSED_BYTES)
    busy = {its.device for each in running if (its := rooms.get(each.root_id or 0))}
    floor = queue.floor_mib * MIB
    return {
        pk: Available(
            count=room.free_bytes - floor - reserved[room.device],
            is_idle=room.device not in busy,
        )
        for pk, room in rooms.items()
    }


def _fits(available: Mapping[int, Available]) -> Q:
    fits = Q(pk__in=[])
    for root_id, room in available.items():
        fits_known = Q(size_bytes__lte=F("bytes_done") + room.count)
        fits |= Q(root=root_id) & (
            fits_known | Q(size_bytes=None) if room.may_guess else fits_known
        )
    return fits


def _set_aside(
    candidates: QuerySet[Download],
    available: Mapping[int, Available],
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
    download: Download, available: Mapping[int, Available], rooms: Mapping[int, Room]
) -> tuple[Download.Wait, str]:
    root = download.root
    if root is None or root.pk not in rooms:
        reason = "Its folder is not there: connect its disk, or add a root folder."
        return Wait.ROOT, reason
    needed, free = _get_rest(download), rooms[root.pk].free_bytes
    kept = free - available[root.pk].count
    wish = (
        "Nobody says how large it is: it waits for others"
        if download.size_bytes is None
        else f"Needs {filesizeformat(needed)}"
    )
    reason = f"{wish} on {root}, which has {filesizeformat(free)} free; {filesizeformat(kept)} of it are reserved or stay free. It goes on by itself."
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


def _get_rest(download: Download, *, guessed: int = 0) -> int:
    """Return how many bytes are to come, `guessed` where nobody knows."""
    if download.size_bytes is None:
        return guessed
    return max(0, download.size_bytes - download.bytes_done)


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
