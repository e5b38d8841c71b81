"""What the library tells browsers. Names and fields of the scan messages are fixed by the protocol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from realtime.messages import Message

Key = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$",
        examples=["attack-on-titan"],
    ),
]
Folder = Annotated[str, Field(max_length=300, examples=["Attack on Titan (2013)"])]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class ScanStarted(
    Message, type="scan_started", delivery="event", entity="scan:{scan_id}"
):
    """A scan is queued for a worker or has begun to read."""

    scan_id: Count
    root: str
    """Name of the root folder."""
    status: Annotated[str, Field(pattern="^(queued|running)$")]
    by: str
    """Name of the user who asked, or "system"."""


class ScanProgress(
    Message, type="scan_progress", delivery="state", entity="scan:{scan_id}", max_hz=5
):
    """A folder was read. `percent` never falls during one scan."""

    scan_id: Count
    root: str
    """Name of the root folder."""
    current: Count
    """Files read so far."""
    total: Count
    """Files expected, never below `current`."""
    percent: Percent
    key: Key | None = None
    """Of the series being read; absent while it is unknown."""
    folder: Folder | None = None
    """The folder being read, for display only."""
    status: Annotated[str, Field(pattern="^(running|cancelling)$")] = "running"


class ScanComplete(
    Message, type="scan_complete", delivery="event", entity="scan:{scan_id}", ends=True
):
    """A scan ended well."""

    scan_id: Count
    root: str
    series_found: Count
    duration: Annotated[float, Field(ge=0, examples=[12.5])]
    """Seconds from its start."""
    added: Count
    """Files that are new."""
    updated: Count
    """Files whose content or name changed, moved ones included."""
    vanished: Count
    """Files that are gone."""
    held: Count
    """Files not found and kept, since a person has to confirm that so many are gone."""
    unmatched: Count
    """Files of this root that a person has to look at, old ones included."""


class ScanFailed(
    Message, type="scan_failed", delivery="event", entity="scan:{scan_id}", ends=True
):
    """A scan ended badly, or was cancelled."""

    scan_id: Count
    root: str
    error_message: Sentence
    cancelled: bool = False


class SeriesUpdated(
    Message, type="series_updated", delivery="state", entity="series:{key}", kept=False
):
    """A series, or something of it, changed; these are the values after it."""

    key: Key
    folder: Folder | None = None
    title: str
    year: int | None = None
    is_monitored: bool
    episode_count: Count
    have_count: Count
    missing_count: Count


class SeriesRemoved(
    Message, type="series_removed", delivery="event", entity="series:{key}", ends=True
):
    """A series left the library; its files were not touched."""

    key: Key
    folder: Folder | None = None
    title: str


class RootUpdated(
    Message, type="root_updated", delivery="state", entity="root:{root_id}", kept=False
):
    """A root folder, or the number of its files, changed; these are the values after it."""

    root_id: Count
    root: str
    is_online: bool
    file_count: Count
    unmatched: Count
    held: Count
    """Files not found and kept, since a person has to confirm that so many are gone."""
