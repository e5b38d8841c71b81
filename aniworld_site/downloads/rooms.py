"""The rooms of downloads and their queue."""

from __future__ import annotations

from aniworld_site.downloads.messages import (
    DownloadAdded,
    DownloadComplete,
    DownloadFailed,
    DownloadProgress,
    DownloadRemoved,
    DownloadUpdated,
    QueuePaused,
    QueueReordered,
    QueueResumed,
    QueueStarted,
    QueueStatus,
    QueueStopped,
    SourceUpdated,
)
from aniworld_site.library.rooms import PermittedRoom


class DownloadsRoom(PermittedRoom):
    """Every download's progress and end."""

    pattern = "downloads"
    permission = "library.view_series"
    messages = frozenset(
        {
            DownloadAdded,
            DownloadRemoved,
            DownloadUpdated,
            DownloadProgress,
            DownloadComplete,
            DownloadFailed,
        }
    )


class QueueRoom(PermittedRoom):
    """The queue as a whole."""

    pattern = "queue"
    permission = "library.view_series"
    messages = frozenset(
        {
            DownloadAdded,
            DownloadRemoved,
            QueueReordered,
            QueueStatus,
            QueueStarted,
            QueueStopped,
            QueuePaused,
            QueueResumed,
        }
    )


class SourcesRoom(PermittedRoom):
    """When sources are read, and how that went."""

    pattern = "sources"
    permission = "downloads.view_source"
    messages = frozenset({SourceUpdated})
