"""What the library holds: root folders, series, seasons, episodes, files, the links between them, scans, and what was done to files."""

from __future__ import annotations

from aniworld_site.library.models.files import (
    EpisodeFile,
    EpisodeFileLink,
    EpisodeFileQuerySet,
)
from aniworld_site.library.models.operations import FileOperation
from aniworld_site.library.models.scans import ACTIVE_STATES, Scan, ScanQuerySet
from aniworld_site.library.models.series import (
    HAVE,
    KEY_VALIDATOR,
    MISSING,
    Episode,
    EpisodeQuerySet,
    RootFolder,
    Season,
    Series,
    SeriesFolder,
    SeriesQuerySet,
)

__all__ = [
    "ACTIVE_STATES",
    "HAVE",
    "KEY_VALIDATOR",
    "MISSING",
    "Episode",
    "EpisodeFile",
    "EpisodeFileLink",
    "EpisodeFileQuerySet",
    "EpisodeQuerySet",
    "FileOperation",
    "RootFolder",
    "Scan",
    "ScanQuerySet",
    "Season",
    "Series",
    "SeriesFolder",
    "SeriesQuerySet",
]
