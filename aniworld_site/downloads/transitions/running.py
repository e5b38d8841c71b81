"""What happens to a download while a process holds it; each write proves the lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from aniworld_site.downloads.models import (
    RUNNING_STATES,
    Download,
)
from aniworld_site.downloads.providers.cleaning import clean_text
from aniworld_site.downloads.signals import download_changed
from aniworld_site.library.models import FileOperation

State = Download.State

# A runner beats every few seconds. One silent for this long was killed, and its download is taken up again.
STALE_AFTER = timedelta(seconds=20)


class LeaseLostError(Exception):
    """Another runner holds the download, or nobody may any more: stop without writing."""


def is_held(download: Download) -> bool:
    """Tell whether this process still holds a download. One query."""
    return bool(
        Download.objects.filter(
            pk=download.pk, lease=download.lease, state__in=RUNNING_STATES
        ).exists()
    )


def beat(download: Download) -> None:
    """Keep the lease and save how far it is.

    Raises:
        LeaseLostError: It was given to another runner, or taken away.
    """
    _write(
        download,
        heartbeat_at=timezone.now(),
        bytes_done=download.bytes_done,
        size_bytes=download.size_bytes,
    )


def save_taken(download: Download) -> None:
    """Save how far a download was when it was taken away from this process, and announce it.

    Nothing is written where another process took it up since, or where what came is deleted or was with its folder.
    """
    saved = (
        Download.objects.filter(
            pk=download.pk,
            lease="",
            starts=download.starts,
            root=download.root_id,
            state__in=(State.QUEUED, State.PAUSED, State.CANCELLED),
            drops_part=False,
        )
        .exclude(bytes_done=download.bytes_done)
        .update(bytes_done=download.bytes_done, size_bytes=download.size_bytes)
    )
    if saved and (row := Download.objects.filter(pk=download.pk).first()):
        download_changed.send(Download, download=row, was=row.state)


def begin_verifying(download: Download) -> None:
    """Say that all bytes are there and are looked at. Raises as `beat`."""
    _change(download, State.VERIFYING, bytes_done=download.bytes_done)


def begin_importing(download: Download, operation: FileOperation) -> None:
    """Say that the file is whole, and which operation brings it into the library. Raises as `beat`."""
    _change(
        download,
        State.IMPORTING,
        operation=operation,
        extension=download.extension,
        bytes_done=download.bytes_done,
        size_bytes=download.bytes_done,
    )


def finish(download: Download) -> None:
    """End a download well: its file is in the library. Raises as `beat`."""
    _change(
        download,
        State.DONE,
        lease="",
        attempts=0,
        wait="",
        reason="",
        finished_at=timezone.now(),
    )


def fail(download: Download, reason: str) -> None:
    """End a download badly. `reason` is a sentence for the person who reads the page. Raises as `beat`."""
    _change(
        download,
        State.FAILED,
        lease="",
        wait="",
        reason=clean_text(reason, longest=500),
        bytes_done=download.bytes_done,
        attempts=download.attempts,
        finished_at=timezone.now(),
    )


def wait_for(
    download: Download, wait: Download.Wait, reason: str, *, until: datetime
) -> None:
    """Set a download aside until some time. Raises as `beat`."""
    _change(
        download,
        State.WAITING,
        lease="",
        wait=wait,
        reason=clean_text(reason, longest=500),
        due_at=until,
        attempts=download.attempts,
        bytes_done=download.bytes_done,
        size_bytes=download.size_bytes,
    )


def release(download: Download, *, due_at: datetime | None = None) -> None:
    """Give a download that this process does not end back to the queue. Raises as `beat`."""
    _change(
        download,
        State.QUEUED,
        lease="",
        due_at=due_at,
        bytes_done=download.bytes_done,
    )


def release_stale() -> int:
    """Give back what processes held that fell silent; return how many."""
    now = timezone.now()
    # Or one that beat when the clock was ahead, which would seem alive until then.
    is_silent = Q(heartbeat_at__lt=now - STALE_AFTER) | Q(
        heartbeat_at__gt=now + STALE_AFTER
    )
    stale = Download.objects.running().filter(is_silent)
    released = 0
    for download in stale:
        was = download.state
        moved = Download.objects.filter(
            pk=download.pk,
            state=was,
            lease=download.lease,
            heartbeat_at=download.heartbeat_at,
        ).update(state=State.QUEUED, lease="", due_at=None)
        if moved:
            released += 1
            download.state, download.lease, download.due_at = State.QUEUED, "", None
            download_changed.send(Download, download=download, was=was)
    return released


def _change(download: Download, state: Download.State, **values: Any) -> None:
    was = download.state
    with transaction.atomic():
        _write(download, state=state, **values)
    for name, value in values.items():
        setattr(download, name, value)
    download.state = state
    download_changed.send(Download, download=download, was=was)


def _write(download: Download, **values: Any) -> None:
    if not Download.objects.filter(
        pk=download.pk, lease=download.lease, state__in=RUNNING_STATES
    ).update(**values):
        raise LeaseLostError(f"Download {download.pk} is no longer this process's.")
