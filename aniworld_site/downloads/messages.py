"""What downloads and their queue tell browsers. Names and fields are fixed by the protocol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aniworld_site.library.messages import Count, Folder, Key, Sentence
from realtime.messages import Message


class DownloadMessage(Message):
    """Base of what concerns one download."""

    download_id: Count
    key: Key
    folder: Folder | None = None
    """For display only."""


class QueuedDownload(DownloadMessage):
    """Base of what concerns a download's place in the queue."""

    season: Count
    """0 holds the specials."""
    episode: Count
    position: Annotated[int, Field(ge=1)] | None = None
    """Place in the queue, the next one is 1."""


class DownloadAdded(
    QueuedDownload,
    type="download_added",
    delivery="event",
    entity="download:{download_id}",
):
    """An item entered the queue."""


class DownloadRemoved(
    QueuedDownload,
    type="download_removed",
    delivery="event",
    entity="download:{download_id}",
    ends=True,
):
    """An item left the queue."""


class DownloadProgress(
    DownloadMessage,
    type="download_progress",
    delivery="state",
    entity="download:{download_id}",
    max_hz=5,
):
    """Bytes arrived."""

    percent: Annotated[float, Field(ge=0, le=100)]
    speed_mbps: Annotated[float, Field(ge=0, examples=[42.5])]
    """Smoothed rate in megabits per second."""
    eta_seconds: Annotated[int, Field(ge=0)] | None
    """Seconds left; null while unknown."""
    current: Count = 0
    """Bytes that are there."""
    total: Count | None = None
    """Bytes of the whole; null while unknown."""
    status: Annotated[str, Field(pattern="^(active|verifying)$")] = "active"


class DownloadUpdated(
    QueuedDownload,
    type="download_updated",
    delivery="state",
    entity="download:{download_id}:row",
    kept=False,
):
    """A download is in another state or at another place."""

    status: Annotated[str, Field(examples=["waiting"])]
    """queued, active, paused, waiting, verifying, importing, done, failed or cancelled."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why it waits or failed, as a sentence."""


class QueueReordered(
    Message, type="queue_reordered", delivery="state", entity="order", kept=False
):
    """Downloads changed places."""


class DownloadComplete(
    DownloadMessage,
    type="download_complete",
    delivery="event",
    entity="download:{download_id}",
    ends=True,
):
    """The file is in the library."""

    file_path: Annotated[str, Field(min_length=1, max_length=4096)]
    """Relative to its root folder."""


class DownloadFailed(
    DownloadMessage,
    type="download_failed",
    delivery="event",
    entity="download:{download_id}",
    ends=True,
):
    """Given up, or to be tried again later."""

    error_message: Sentence


class QueueCounts(Message):
    """Base of what carries the queue's counts."""

    active: Count
    pending: Count
    completed: Count
    failed: Count
    paused: Count


class QueueStatus(QueueCounts, type="queue_status", delivery="state", entity="queue"):
    """Any count changed."""


class QueueChange(QueueCounts):
    """Base of what somebody did to the whole queue; the counts are those after it."""

    by: Annotated[str, Field(min_length=1, max_length=150, examples=["system"])]
    """Name of the user, or "system"."""


class QueueStarted(QueueChange, type="queue_started", delivery="event"):
    """The queue takes up waiting items."""


class QueueStopped(QueueChange, type="queue_stopped", delivery="event"):
    """Nothing runs, and nothing is taken up."""


class QueuePaused(QueueChange, type="queue_paused", delivery="event"):
    """What runs is held, and nothing is taken up."""


class QueueResumed(QueueChange, type="queue_resumed", delivery="event"):
    """What was held goes on."""


class SourceUpdated(
    Message,
    type="source_updated",
    delivery="state",
    entity="source:{source_id}",
    kept=False,
):
    """A source is being read, or was."""

    source_id: Count
    source: Annotated[str, Field(max_length=80)]
    """Its name."""
    status: Annotated[str, Field(pattern="^(reading|read|failed)$")]
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why it could not be read, as a sentence."""
