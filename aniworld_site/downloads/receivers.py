"""Signal in, message out, nothing else."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from aniworld_site.downloads import messages, selectors
from aniworld_site.downloads.models import Download, Queue, Source
from aniworld_site.downloads.rooms import DownloadsRoom, QueueRoom, SourcesRoom
from aniworld_site.downloads.signals import (
    download_changed,
    download_progressed,
    downloads_added,
    downloads_removed,
    many_changed,
    queue_changed,
    queue_reordered,
    source_changed,
    worker_began,
)
from realtime.messages import Message
from realtime.publishing import begin_anew, publish

MEGABIT = 1_000_000
DID = {
    "started": messages.QueueStarted,
    "stopped": messages.QueueStopped,
    "paused": messages.QueuePaused,
    "resumed": messages.QueueResumed,
}


@receiver(downloads_added)
def tell_added(downloads: list[Download], **_kwargs: Any) -> None:
    places = selectors.get_places()
    for facts in selectors.list_facts(downloads):
        _tell_both(
            messages.DownloadAdded(
                **facts.names, **facts.numbers, position=places.get(facts.pk)
            )
        )
    _tell_status()


@receiver(downloads_removed)
def tell_removed(downloads: list[Download], **_kwargs: Any) -> None:
    for facts in selectors.list_facts(downloads):
        _tell_both(messages.DownloadRemoved(**facts.names, **facts.numbers))
    _tell_status()


@receiver(post_delete, sender=Download)
def tell_deleted(instance: Download, origin: Any = None, **_kwargs: Any) -> None:
    # With its series: whoever takes it off the list tells it himself.
    if (
        not isinstance(origin, Download)
        and getattr(origin, "model", None) is not Download
    ):
        _tell_status()


@receiver(download_progressed)
def tell_progress(
    download: Download, bytes_per_s: float, eta_s: int | None, **_kwargs: Any
) -> None:
    key, folder = selectors.get_series_names(download)
    publish(
        DownloadsRoom(),
        messages.DownloadProgress(
            download_id=download.pk,
            key=key,
            folder=folder,
            percent=download.percent,
            speed_mbps=round(bytes_per_s * 8 / MEGABIT, 2),
            eta_seconds=eta_s,
            current=download.bytes_done,
            total=download.size_bytes,
            status=download.state,
        ),
    )


@receiver(download_changed)
def tell_changed(download: Download, was: str, **_kwargs: Any) -> None:
    facts = selectors.list_facts([download])
    if not facts:
        return
    names, numbers = facts[0].names, facts[0].numbers
    if was != download.state:
        _tell_move(download, was, facts[0])
    publish(
        DownloadsRoom(),
        messages.DownloadUpdated(
            **names, **numbers, status=download.state, reason=download.reason
        ),
    )
    _tell_status()


def _tell_move(download: Download, was: str, facts: selectors.Facts) -> None:
    names, numbers = facts.names, facts.numbers
    if download.state == Download.State.DONE:
        path = facts.file_path or "unknown"
        publish(DownloadsRoom(), messages.DownloadComplete(**names, file_path=path))
    elif _has_failed(download):
        publish(
            DownloadsRoom(),
            messages.DownloadFailed(**names, error_message=download.reason),
        )
    elif download.state == Download.State.CANCELLED:
        _tell_both(messages.DownloadRemoved(**names, **numbers))
    elif was in (Download.State.CANCELLED, Download.State.FAILED):
        _tell_both(messages.DownloadAdded(**names, **numbers))


def _has_failed(download: Download) -> bool:
    """Tell whether a try came to nothing; what only waits for room has not been tried, or goes on where it was."""
    is_waiting = download.state == Download.State.WAITING
    tried = (Download.Wait.HOST, Download.Wait.MACHINE)
    is_later = is_waiting and download.wait in tried
    return is_later or download.state == Download.State.FAILED


@receiver(queue_reordered)
def tell_reordered(**_kwargs: Any) -> None:
    publish(QueueRoom(), messages.QueueReordered())


@receiver([worker_began, many_changed])
def begin_rooms_anew(**_kwargs: Any) -> None:
    # What waited in a worker that was killed is lost, and a thousand names would push everything else out of the
    # rooms' history: whoever looks is to look again.
    begin_anew(DownloadsRoom())
    begin_anew(QueueRoom())
    _tell_status()


@receiver(queue_changed)
def tell_queue(queue: Queue, did: str, by: str, **_kwargs: Any) -> None:
    counts = selectors.count_downloads()
    publish(QueueRoom(), DID[did](**counts, by=by))
    publish(QueueRoom(), messages.QueueStatus(**counts))


@receiver(source_changed)
def tell_source(source: Source, **_kwargs: Any) -> None:
    is_reading = source.refreshing_since is not None
    ended = "failed" if source.error else "read"
    publish(
        SourcesRoom(),
        messages.SourceUpdated(
            source_id=source.pk,
            source=source.name,
            status="reading" if is_reading else ended,
            reason="" if is_reading else source.error,
        ),
    )


def _tell_status() -> None:
    publish(QueueRoom(), messages.QueueStatus(**selectors.count_downloads()))


def _tell_both(message: Message) -> None:
    publish(DownloadsRoom(), message)
    publish(QueueRoom(), message)
