"""What a person does with downloads and with the queue as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.ordering import lock_queue
from aniworld_site.downloads.signals import (
    download_changed,
    downloads_removed,
    queue_changed,
)
from aniworld_site.downloads.states import (
    ENDED_STATES,
    MAY_CANCEL,
    MAY_FORCE,
    MAY_PAUSE,
    MAY_RESUME,
    MAY_RETRY,
)
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode

State = Download.State


@dataclass(frozen=True, kw_only=True)
class Move:
    """What a person may do with a download."""

    allowed: Collection[str]
    """The states in which it is."""
    what: str
    """As in "it cannot be paused"."""
    values: Mapping[str, Any]
    """What is written."""
    needs_absence: bool = False
    """What has ended stays so while its episode has a file."""


PAUSE = Move(
    allowed=MAY_PAUSE,
    what="paused",
    values={"state": State.PAUSED, "lease": "", "reason": "", "wait": ""},
)
"""Hold it; what came is kept."""
RESUME = Move(
    allowed=MAY_RESUME,
    what="resumed",
    values={"state": State.QUEUED, "due_at": None},
)
"""Let a paused one go on when it is its turn."""
RETRY = Move(
    allowed=MAY_RETRY,
    what="tried again",
    values={
        "state": State.QUEUED,
        "attempts": 0,
        "due_at": None,
        "wait": "",
        "reason": "",
        "finished_at": None,
        "drops_part": False,
    },
    # Another one may have brought it meanwhile.
    needs_absence=True,
)
"""Have another try, now."""
FORCE = Move(
    allowed=MAY_FORCE,
    what="forced",
    values={
        "state": State.QUEUED,
        "is_forced": True,
        "due_at": None,
        "wait": "",
        "reason": "",
    },
)
"""Start it whatever the limits say; a stopped or paused queue starts none."""


def make_cancel(*, drops_part: bool) -> Move:
    """Return the end of a download, now. What came is kept for a later try, or deleted."""
    return Move(
        allowed=MAY_CANCEL,
        what="cancelled",
        values={
            "state": State.CANCELLED,
            "lease": "",
            "wait": "",
            "reason": "",
            "drops_part": drops_part,
            "finished_at": timezone.now(),
        },
    )


def move(download: Download, wish: Move) -> None:
    """Do with a download what a person wishes, and announce it.

    Raises:
        DomainError: Its state does not allow it, it is gone, or its episode is in the queue again or has a file.
    """
    # Again where it moved between being looked at and being written.
    for _attempt in range(5):
        was = _check(download, wish)
        try:
            with transaction.atomic():
                moved = (
                    _list_allowed(wish)
                    .filter(pk=download.pk, state=was)
                    .update(**wish.values)
                )
        except IntegrityError as error:
            raise DomainError("Its episode is in the queue already.") from error
        if moved:
            download.refresh_from_db()
            download_changed.send(Download, download=download, was=was)
            return
    raise DomainError("This download changes too quickly: try again.")


def _check(download: Download, wish: Move) -> str:
    """Return the state in which a download is.

    Raises:
        DomainError: It does not allow what a person wishes, or the download is gone.
    """
    now = Download.objects.filter(pk=download.pk)
    found = now.values_list("state", "episode__has_file").first()
    if found is None:
        raise DomainError("This download is not in the list any more.")
    state, is_there = found
    if state not in wish.allowed:
        raise DomainError(
            f"This download is {State(state).label}: it cannot be {wish.what}."
        )
    if wish.needs_absence and is_there and state in ENDED_STATES:
        raise DomainError("Its file is there already.")
    return state


def _list_allowed(wish: Move) -> QuerySet[Download]:
    allowed = Download.objects.filter(state__in=wish.allowed)
    if wish.needs_absence:
        # No join: an UPDATE would look for the rows first, and then not notice who was faster.
        there = Episode.objects.filter(has_file=True).values("pk")
        allowed = allowed.exclude(state__in=ENDED_STATES, episode__in=there)
    return allowed


def move_many(pks: Collection[int], wish: Move) -> int:
    """Do the same with all of them that allow it, in one statement, and return how many; whoever asks announces it.

    Raises:
        DomainError: An episode is in the queue again; none was moved.
    """
    try:
        with transaction.atomic():
            return _list_allowed(wish).filter(pk__in=pks).update(**wish.values)
    except IntegrityError as error:
        raise DomainError("An episode is in the queue already.") from error


def remove(pks: Collection[int], *, names_them: bool = True) -> list[Download]:
    """Take ended downloads off the list and return them, with their root folders; those that have not ended stay.

    `names_them` announces each; who removes more than can be named does so in portions, and announces that at the end.
    """
    with transaction.atomic():
        # As they are now: one of them may have been tried again meanwhile.
        gone = list(
            Download.objects.select_for_update(of=("self",))
            .select_related("root")
            .filter(pk__in=pks, state__in=ENDED_STATES)
        )
        Download.objects.filter(pk__in=[each.pk for each in gone]).delete()
    if gone and names_them:
        downloads_removed.send(Download, downloads=gone)
    return gone


def end_pause() -> bool:
    """Let the queue go on where its pause had a time that is over; tell whether it did."""
    is_over = Q(state=Queue.State.PAUSED, paused_until__lte=timezone.now())
    if not Queue.objects.filter(is_over, pk=1).exists():
        return False
    try:
        set_queue(Queue.State.RUNNING, by="system", did="resumed", only_if=is_over)
    except DomainError:
        # Somebody stopped it, or paused it anew, in this moment.
        return False
    return True


def set_queue(
    state: Queue.State,
    *,
    by: str,
    did: str,
    until: datetime | None = None,
    only_if: Q | None = None,
) -> Queue:
    """Start, stop, pause or resume the queue. What runs is held in the same transaction, and keeps its place and what came.

    Raises:
        DomainError: It is not as `only_if` has it, now that nobody else changes it.
    """
    held: list[Download] = []
    with transaction.atomic():
        queue = lock_queue()
        if only_if and not Queue.objects.filter(only_if, pk=queue.pk).exists():
            raise DomainError(
                f"The queue is {queue.get_state_display()}: it cannot be {did}."
            )
        queue.state, queue.paused_until = state, until
        queue.changed_by, queue.changed_at = by, timezone.now()
        queue.save(update_fields=["state", "paused_until", "changed_by", "changed_at"])
        if state != Queue.State.RUNNING:
            may_hold = Download.objects.select_for_update().filter(
                state__in=[State.ACTIVE, State.VERIFYING]
            )
            held = list(may_hold)
            Download.objects.filter(pk__in=[each.pk for each in held]).update(
                state=State.QUEUED, lease=""
            )
    for download in held:
        was, download.state = download.state, State.QUEUED
        download_changed.send(Download, download=download, was=was)
    queue_changed.send(Queue, queue=queue, did=did, by=by)
    return queue
