"""Where episodes come from, and how they come: sources, what they list, the queue and its downloads."""

from __future__ import annotations

from aniworld_site.downloads.models.queue import (
    LIVE_STATES,
    RUNNING_STATES,
    Download,
    DownloadQuerySet,
    Queue,
)
from aniworld_site.downloads.models.sources import (
    LONGEST_EVERY,
    LONGEST_WAIT,
    MOST,
    Source,
    SourceEpisode,
    SourceQuerySet,
    SourceSeries,
    validate_hosts,
)

__all__ = [
    "LIVE_STATES",
    "LONGEST_EVERY",
    "LONGEST_WAIT",
    "MOST",
    "RUNNING_STATES",
    "Download",
    "DownloadQuerySet",
    "Queue",
    "Source",
    "SourceEpisode",
    "SourceQuerySet",
    "SourceSeries",
    "validate_hosts",
]
