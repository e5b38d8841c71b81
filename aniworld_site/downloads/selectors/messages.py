"""What messages tell of downloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from aniworld_site.downloads.models import RUNNING_STATES, Download
from aniworld_site.library.models import Episode, FileOperation
from aniworld_site.library.naming import printable

State = Download.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A download as messages name it."""

    pk: int
    names: dict[str, Any]
    """download_id, key and folder."""
    numbers: dict[str, Any]
    """season and episode."""
    file_path: str
    """Relative to its root folder; "" while it is not there."""


def list_facts(downloads: Sequence[Download]) -> list[Facts]:
    """Return what is known of downloads, whose rows may be gone, in their order. Two queries; what has no episode any more is left out."""
    episodes = Episode.objects.select_related("season__series").in_bulk(
        {download.episode_id for download in downloads}
    )
    operations = FileOperation.objects.select_related("root").in_bulk(
        {each.operation_id for each in downloads if each.state == State.DONE} - {None}
    )
    found = []
    for download in downloads:
        episode = episodes.get(download.episode_id)
        if episode is None:
            continue
        series = episode.season.series
        operation = operations.get(download.operation_id)
        found.append(
            Facts(
                pk=download.pk or 0,
                names={
                    "download_id": download.pk or 0,
                    "key": series.key,
                    "folder": series.folder or None,
                },
                numbers={
                    "season": episode.season.number,
                    "episode": episode.number,
                },
                file_path=get_relative_path(operation) if operation else "",
            )
        )
    return found


def get_relative_path(operation: FileOperation) -> str:
    """Return where an operation's file is, below its root folder, as it can be shown."""
    return printable(str(operation.target).removeprefix(f"{operation.root.path}/"))


def get_series_names(download: Download) -> tuple[str, str | None]:
    """Return key and folder of a download's series. One query for the first call with an object, since progress is told five times a second."""
    # Kept with the object that its runner has: neither key nor episode changes.
    known: dict[str, Any] = download.__dict__
    if "series_names" not in known:
        episodes = Episode.objects.select_related("season__series")
        series = episodes.get(pk=download.episode_id).season.series
        known["series_names"] = (series.key, series.folder or None)
    names: tuple[str, str | None] = known["series_names"]
    return names


def get_places() -> dict[int, int]:
    """Return each live download's place, the first is 1. One query over the queue."""
    ordered = (
        Download.objects.live().order_by("position", "pk").values_list("pk", flat=True)
    )
    return {pk: place for place, pk in enumerate(ordered, 1)}


def count_downloads() -> dict[str, int]:
    """Return the counts of `queue_status`, in one query."""
    # By the index on the state alone: all that was ever done is counted for each message and page.
    grouped = Download.objects.order_by().values("state").annotate(count=Count("pk"))
    counts: Counter[str] = Counter(dict(grouped.values_list("state", "count")))
    return {
        "active": sum(counts[state] for state in RUNNING_STATES),
        "pending": counts[State.QUEUED] + counts[State.WAITING],
        "completed": counts[State.DONE],
        "failed": counts[State.FAILED],
        "paused": counts[State.PAUSED],
    }
