"""Places in the queue: numbers with gaps, so that moving one row writes one row."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Max, Min, Q

from aniworld_site.downloads.models import Download, Queue

GAP = 1 << 20


def lock_queue() -> Queue:
    """Return the queue, locked until the transaction ends: who orders or takes up does it alone."""
    return Queue.objects.select_for_update().get_or_create(pk=1)[0]


def get_queue() -> Queue:
    return Queue.objects.get_or_create(pk=1)[0]


def take_last_place() -> int:
    """Return a place at the end, and those that follow each `GAP` apart are free, too; within a transaction that holds the queue."""
    last = Download.objects.live().aggregate(last=Max("position"))["last"]
    return (last if last is not None else 0) + GAP


def take_places_before(download: Download, count: int = 1) -> list[int]:
    """Return places directly before a download, in order; within a transaction that holds the queue.

    Others may have its very place, since what has ended keeps one that is given away: of those the earlier row is first.
    """
    download.refresh_from_db(fields=["position"])
    before = (
        Download.objects.live()
        .filter(_is_before(download))
        .aggregate(last=Max("position"))["last"]
    )
    if before is None:
        return [download.position - GAP * (count - each) for each in range(count)]
    room = download.position - before
    if room <= count:
        # Too few numbers are left between the two: all behind make room, which is one statement whatever their number.
        behind = Download.objects.live().exclude(_is_before(download))
        behind.update(position=F("position") + GAP * count)
        room += GAP * count
    return [before + room * (each + 1) // (count + 1) for each in range(count)]


def _is_before(download: Download) -> Q:
    here = download.position
    return Q(position__lt=here) | Q(position=here, pk__lt=download.pk)


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
    _write(chosen, take_last_place())


@transaction.atomic
def move_before(chosen: list[Download], target: Download) -> None:
    """Put downloads directly before another, in the order given."""
    lock_queue()
    for download in chosen:
        if download.pk != target.pk:
            _write([download], take_places_before(target)[0])


@transaction.atomic
def move_by_one(chosen: list[Download], *, is_up: bool) -> None:
    """Put downloads, given in their order, one place nearer to an end. What is there already stays, with what is right behind it."""
    lock_queue()
    stuck: set[int] = set()
    for download in chosen if is_up else reversed(chosen):
        other = _find_neighbour(download, is_up=is_up)
        if other is None or other.pk in stuck:
            stuck.add(download.pk)
        elif is_up:
            _write([download], take_places_before(other)[0])
        else:
            _write([download], _take_place_behind(other))


def _find_neighbour(download: Download, *, is_up: bool) -> Download | None:
    download.refresh_from_db(fields=["position"])
    others = Download.objects.live().exclude(pk=download.pk)
    if is_up:
        return others.filter(_is_before(download)).order_by("-position", "-pk").first()
    return others.exclude(_is_before(download)).order_by("position", "pk").first()


def _take_place_behind(download: Download) -> int:
    following = _find_neighbour(download, is_up=False)
    return take_places_before(following)[0] if following else take_last_place()


def _write(chosen: list[Download], first: int) -> None:
    for number, download in enumerate(chosen):
        download.position = first + number * GAP
        Download.objects.filter(pk=download.pk).update(position=download.position)
