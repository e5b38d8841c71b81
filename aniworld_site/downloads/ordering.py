"""Places in the queue: numbers with gaps, so that moving one row writes one row."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Max, Min

from aniworld_site.downloads.models import Download, Queue

GAP = 1 << 20


def lock_queue() -> Queue:
    """Return the queue, locked until the transaction ends: who orders or takes up does it alone."""
    return Queue.objects.select_for_update().get_or_create(pk=1)[0]


def get_queue() -> Queue:
    return Queue.objects.get_or_create(pk=1)[0]


def take_places(count: int) -> int:
    """Return the first of so many places at the end, `GAP` apart; within a transaction that holds the queue."""
    last = Download.objects.live().aggregate(last=Max("position"))["last"]
    return (last if last is not None else 0) + GAP


def take_place_before(download: Download) -> int:
    """Return a place directly before a download; within a transaction that holds the queue."""
    before = (
        Download.objects.live()
        .filter(position__lt=download.position)
        .aggregate(last=Max("position"))["last"]
    )
    if before is None:
        return download.position - GAP
    if download.position - before > 1:
        return int(before + (download.position - before) // 2)
    # No number is left between the two: all behind make room, which is one statement whatever their number.
    behind = Download.objects.live().filter(position__gte=download.position)
    behind.update(position=F("position") + GAP)
    return int(before + GAP // 2)


@transaction.atomic
def move_to_top(chosen: list[Download]) -> None:
    """Put downloads first, in the order given."""
    lock_queue()
    first = Download.objects.live().aggregate(first=Min("position"))["first"] or 0
    _write(chosen, first - GAP * len(chosen))


@transaction.atomic
def move_to_bottom(chosen: list[Download]) -> None:
    """Put downloads last, in the order given."""
    lock_queue()
    _write(chosen, take_places(len(chosen)))


@transaction.atomic
def move_before(chosen: list[Download], target: Download) -> None:
    """Put downloads directly before another, in the order given."""
    lock_queue()
    for download in chosen:
        target.refresh_from_db(fields=["position"])
        if download.pk != target.pk:
            _write([download], take_place_before(target))


@transaction.atomic
def move_by_one(download: Download, *, is_up: bool) -> bool:
    """Let a download and its neighbour change places; tell whether there is one."""
    lock_queue()
    download.refresh_from_db(fields=["position"])
    others = Download.objects.live().exclude(pk=download.pk)
    other = (
        others.filter(position__lte=download.position).order_by("-position", "-pk")
        if is_up
        else others.filter(position__gte=download.position).order_by("position", "pk")
    ).first()
    if other is None:
        return False
    here, there = download.position, other.position
    if here == there:
        there += -1 if is_up else 1
    Download.objects.filter(pk=download.pk).update(position=there)
    Download.objects.filter(pk=other.pk).update(position=here)
    return True


def _write(chosen: list[Download], first: int) -> None:
    for number, download in enumerate(chosen):
        download.position = first + number * GAP
        Download.objects.filter(pk=download.pk).update(position=download.position)
