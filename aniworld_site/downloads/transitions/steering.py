"""What a person does with downloads and with the queue as a whole."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
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

State = Download.State


def pause(download: Download) -> None:
    """Hold a download; what came is kept.

    Raises:
        DomainError: It cannot be paused any more.
    """
    _move(
        download, MAY_PAUSE, "paused", state=State.PAUSED, lease="", reason="", wait=""
    )


def resume(download: Download) -> None:
    """Let a paused download go on when it is its turn.

    Raises:
        DomainError: It is not paused.
    """
    _move(download, MAY_RESUME, "resumed", state=State.QUEUED, due_at=None)


def cancel(download: Download, *, drops_part: bool) -> None:
    """End a download. What came is kept for a later try, or deleted.

    Raises:
        DomainError: It has ended, or is being put into the library.
    """
    _move(
        download,
        MAY_CANCEL,
        "cancelled",
        state=State.CANCELLED,
        lease="",
        wait="",
        reason="",
        drops_part=drops_part,
        finished_at=timezone.now(),
    )


def retry(download: Download) -> None:
    """Have another try, now.

    Raises:
        DomainError: It did not fail, or its episode is in the queue again.
    """
    _move(
        download,
        MAY_RETRY,
        "tried again",
        state=State.QUEUED,
        attempts=0,
        due_at=None,
        wait="",
        reason="",
        finished_at=None,
        drops_part=False,
    )


def force(download: Download) -> None:
    """Start a download whatever the limits say; a stopped or paused queue starts none.

    Raises:
        DomainError: It runs, or has ended.
    """
    _move(
        download,
        MAY_FORCE,
        "forced",
        state=State.QUEUED,
        is_forced=True,
        due_at=None,
        wait="",
        reason="",
    )


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


def set_queue(
    state: Queue.State, *, by: str, did: str, until: datetime | None = None
) -> Queue:
    """Start, stop, pause or resume the queue. What runs is held in the same transaction, and keeps its place and what came."""
    held: list[Download] = []
    with transaction.atomic():
        queue = lock_queue()
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


def _move(
    download: Download, allowed: Collection[str], what: str, **values: Any
) -> None:
    # Again where it moved between being looked at and being written.
    for _attempt in range(5):
        was = (
            Download.objects.filter(pk=download.pk)
            .values_list("state", flat=True)
            .first()
        )
        if was is None:
            raise DomainError("This download is not in the list any more.")
        if was not in allowed:
            raise DomainError(
                f"This download is {State(was).label}: it cannot be {what}."
            )
        try:
            with transaction.atomic():
                moved = Download.objects.filter(pk=download.pk, state=was).update(
                    **values
                )
        except IntegrityError as error:
            raise DomainError("Its episode is in the queue already.") from error
        if moved:
            download.refresh_from_db()
            download_changed.send(Download, download=download, was=was)
            return
    raise DomainError("This download changes too quickly: try again.")
