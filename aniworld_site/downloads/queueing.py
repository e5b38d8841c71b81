"""What is listed becomes a download: where its file will go, and why one cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aniworld_site.disks import METER
from aniworld_site.downloads.models import (
    RUNNING_STATES,
    Download,
    Source,
    SourceEpisode,
)
from aniworld_site.downloads.transitions import Wanted, get_order, open_downloads
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Episode, RootFolder, SeriesFolder

AUTOMATIC = "system"
CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An episode that cannot be queued."""

    episode: Episode
    reason: str


def queue_offers(
    chosen: Iterable[tuple[Episode, SourceEpisode]],
    *,
    by: str,
    root: RootFolder | None = None,
    is_forced: bool = False,
) -> tuple[list[Download], list[Refusal]]:
    """Put episodes (with season and series) into the queue; those that are in it stay where they are.

    Raises:
        DomainError: There is no root folder to put files into.
    """
    pairs = list(chosen)
    if not pairs:
        return [], []
    roots = _choose_roots({episode.season.series_id for episode, _ in pairs}, root)
    wanted = [
        Wanted(
            episode=episode,
            offer=offer,
            root=roots[episode.season.series_id],
            checksum=offer.checksum,
            size_bytes=offer.size_bytes,
        )
        for episode, offer in pairs
    ]
    # In portions, so that nobody waits long for the queue.
    wanted.sort(key=get_order)
    downloads = [
        download
        for at in range(0, len(wanted), CHUNK)
        for download in open_downloads(
            wanted[at : at + CHUNK], by=by, is_forced=is_forced
        )
    ]
    added = {download.episode_id for download in downloads}
    refusals = [
        Refusal(episode=episode, reason="It is in the queue already.")
        for episode, _ in pairs
        if episode.pk not in added
    ]
    return downloads, refusals


def queue_new_offers(source: Source) -> list[Download]:
    """Put what a source lists newly into the queue, where its series is monitored and the episode is wanted and not there."""
    fresh = list(
        SourceEpisode.objects.filter(listed__source=source, is_new=True).select_related(
            "episode__season__series", "listed__source"
        )
    )
    pairs = [
        (offer.episode, offer)
        for offer in fresh
        if source.queues_new and offer.url and offer.episode and _is_asked_for(offer)
    ]
    try:
        downloads = queue_offers(pairs, by=AUTOMATIC)[0]
    except DomainError:
        # No root folder: nothing can be fetched, which is no fault of the source. They join when there is one.
        return []
    ids = [offer.pk for offer in fresh]
    for at in range(0, len(ids), CHUNK):
        SourceEpisode.objects.filter(pk__in=ids[at : at + CHUNK]).update(is_new=False)
    return downloads


def _is_asked_for(offer: SourceEpisode) -> bool:
    episode = offer.episode
    return (
        episode is not None
        and episode.is_wanted
        and not episode.has_file
        and episode.season.series.is_monitored
    )


def give_roots() -> int:
    """Give downloads whose root folder was removed another one, where there is one; return how many."""
    homeless = list(
        Download.objects.live()
        .filter(root=None)
        .exclude(state__in=RUNNING_STATES)
        .select_related("episode__season")
    )
    if not homeless:
        return 0
    series_ids = {each.episode.season.series_id for each in homeless}
    try:
        roots = _choose_roots(series_ids, None)
    except DomainError:
        return 0
    for series_id, root in roots.items():
        ours = [
            each.pk for each in homeless if each.episode.season.series_id == series_id
        ]
        # What came of them went with the folder that it was in.
        Download.objects.filter(pk__in=ours, root=None).update(
            root=root, bytes_done=0, due_at=None
        )
    return len(homeless)


def _choose_roots(
    series_ids: set[int], asked: RootFolder | None
) -> dict[int, RootFolder]:
    """Return where each series' files go: where it is already, else where most is free. Two queries."""
    if asked is not None:
        return dict.fromkeys(series_ids, asked)
    online = list(RootFolder.objects.filter(is_online=True))
    if not online:
        raise DomainError(
            "There is no root folder to put files into: add one, or connect its disk."
        )
    disks = METER.measure(root.path for root in online)
    roomiest = max(
        online,
        key=lambda root: disk.free_bytes if (disk := disks.get(root.path)) else -1,
    )
    homes = {
        folder.series_id: folder.root
        for folder in SeriesFolder.objects.filter(
            series__in=series_ids, root__is_online=True, is_ignored=False
        )
        .select_related("root")
        .order_by("-name")
    }
    return {pk: homes.get(pk, roomiest) for pk in series_ids}
