"""What a person does with downloads in the queue, one or many, and with the queue as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from aniworld_site.downloads import ordering, transitions
from aniworld_site.downloads.importing import drop_part
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.signals import many_changed, queue_reordered
from aniworld_site.exceptions import DomainError

LONGEST_PAUSE_MINUTES = 7 * 24 * 60
PORTION = 200
"""Downloads that one transaction changes. Of more none is named to those who look: they look again at the end."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of doing something with several downloads."""

    done: int
    refusals: Sequence[str]
    """Why the others stayed as they are: each sentence once."""


def pause_downloads(downloads: QuerySet[Download]) -> Outcome:
    """Hold downloads; what came of them is kept."""
    return _each(downloads, transitions.PAUSE)


def resume_downloads(downloads: QuerySet[Download]) -> Outcome:
    """Let paused downloads go on when it is their turn."""
    return _each(downloads, transitions.RESUME)


def cancel_downloads(downloads: QuerySet[Download], *, keeps_part: bool) -> Outcome:
    """End downloads; what came is kept for another try, or deleted."""
    return _each(downloads, transitions.make_cancel(drops_part=not keeps_part))


def retry_downloads(downloads: QuerySet[Download]) -> Outcome:
    """Have another try with what failed, was cancelled or waits."""
    return _each(downloads, transitions.RETRY)


def force_downloads(downloads: QuerySet[Download]) -> Outcome:
    """Start downloads whatever the limits say."""
    return _each(downloads, transitions.FORCE)


def remove_downloads(downloads: QuerySet[Download]) -> Outcome:
    """Take ended downloads off the list, with what is left of their partial files; files in the library stay.

    Any number of them, `PORTION` in each transaction.
    """
    pks = list(downloads.values_list("pk", flat=True))
    is_small = len(pks) <= PORTION
    done = 0
    for at in range(0, len(pks), PORTION):
        gone = transitions.remove(pks[at : at + PORTION], names_them=is_small)
        for download in gone:
            drop_part(download)
        done += len(gone)
    if done and not is_small:
        many_changed.send(Download)
    refusals = ["What has not ended is cancelled first."] if done < len(pks) else []
    return Outcome(done=done, refusals=refusals)


def move_downloads(
    downloads: QuerySet[Download], where: str, *, before: Download | None = None
) -> Outcome:
    """Put downloads at the "top", the "bottom", one place "up" or "down", or "before" another; several keep their order.

    Raises:
        DomainError: There is no such place, it is before one that has ended, or more are moved by one than can be at once.
    """
    if where in ("up", "down") and downloads.count() > PORTION:
        raise DomainError(
            f"At most {PORTION} downloads can be moved by one place at once: move them to the top or the bottom."
        )
    chosen = list(downloads.live().order_by("position", "pk"))  # type: ignore[attr-defined]  # The manager's own.
    if where == "top":
        ordering.move_to_top(chosen)
    elif where == "bottom":
        ordering.move_to_bottom(chosen)
    elif where == "before" and before is not None:
        if not before.is_live:
            raise DomainError(
                f"Download {before.pk} is {before.get_state_display()}: it has no place in the queue."
            )
        ordering.move_before(chosen, before)
    elif where in ("up", "down"):
        ordering.move_by_one(chosen, is_up=where == "up")
    else:
        raise DomainError(
            f"Expected top, bottom, up, down or before another download, got {where!r}."
        )
    queue_reordered.send(Queue)
    return Outcome(done=len(chosen), refusals=[])


def start_queue(*, by: str) -> Queue:
    """Let downloads run."""
    return transitions.set_queue(Queue.State.RUNNING, by=by, did="started")


def stop_queue(*, by: str) -> Queue:
    """Hold what runs and take up nothing, until somebody starts it."""
    return transitions.set_queue(Queue.State.STOPPED, by=by, did="stopped")


def pause_queue(*, by: str, minutes: int | None = None) -> Queue:
    """Hold what runs and take up nothing, for some minutes or until somebody resumes it.

    Raises:
        DomainError: It is stopped, or the time is none.
    """
    if minutes is not None and not 0 < minutes <= LONGEST_PAUSE_MINUTES:
        raise DomainError(
            f"Expected 1 to {LONGEST_PAUSE_MINUTES} minutes, got {minutes}."
        )
    until = timezone.now() + timedelta(minutes=minutes) if minutes else None
    return transitions.set_queue(
        Queue.State.PAUSED,
        by=by,
        did="paused",
        until=until,
        only_if=~Q(state=Queue.State.STOPPED),
    )


def resume_queue(*, by: str) -> Queue:
    """Let a paused queue go on.

    Raises:
        DomainError: It is not paused.
    """
    return transitions.set_queue(
        Queue.State.RUNNING,
        by=by,
        did="resumed",
        only_if=Q(state=Queue.State.PAUSED),
    )


def set_limits(*, concurrency: int, limit_kib_per_s: int) -> Queue:
    """Change how many downloads run at once and how fast all together; takes effect on those that run.

    Raises:
        DomainError: The numbers are none that it can have.
    """
    if not 1 <= concurrency <= 16 or not 0 <= limit_kib_per_s <= 100_000_000:
        raise DomainError(
            "Expected 1 to 16 downloads at once, and a speed that is not negative."
        )
    queue = ordering.get_queue()
    queue.concurrency, queue.limit_kib_per_s = concurrency, limit_kib_per_s
    queue.save(update_fields=["concurrency", "limit_kib_per_s"])
    return queue


def _each(downloads: QuerySet[Download], wish: transitions.Move) -> Outcome:
    pks = list(downloads.values_list("pk", flat=True))
    if len(pks) > PORTION:
        return _in_portions(pks, wish)
    return _one_by_one(downloads, wish)


def _one_by_one(downloads: QuerySet[Download], wish: transitions.Move) -> Outcome:
    done = 0
    # In the order in which they came, each once.
    said: dict[str, None] = {}
    for download in downloads:
        try:
            transitions.move(download, wish)
        except DomainError as error:
            said[str(error)] = None
        else:
            done += 1
    return Outcome(done=done, refusals=list(said))


def _in_portions(pks: Sequence[int], wish: transitions.Move) -> Outcome:
    done = 0
    for at in range(0, len(pks), PORTION):
        portion = pks[at : at + PORTION]
        try:
            done += transitions.move_many(portion, wish)
        except DomainError:
            # One of them cannot be; which one, only each by itself can tell.
            chosen = Download.objects.filter(pk__in=portion)
            done += _one_by_one(chosen, wish).done
    many_changed.send(Download)
    left = len(pks) - done
    if not left:
        return Outcome(done=done, refusals=[])
    who = "1 other cannot" if left == 1 else f"{left} others cannot"
    as_is = "it is" if left == 1 else "they are"
    return Outcome(done=done, refusals=[f"{who} be {wish.what} as {as_is}."])
