"""Signal in, message out, nothing else."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from aniworld_site.library.messages import (
    RootUpdated,
    ScanComplete,
    ScanFailed,
    ScanProgress,
    ScanStarted,
    SeriesRemoved,
    SeriesUpdated,
)
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    Season,
    Series,
)
from aniworld_site.library.rooms import LibraryRoom, ScanRoom, SeriesRoom
from aniworld_site.library.signals import (
    root_changed,
    scan_finished,
    scan_progressed,
    scan_requested,
    scan_started,
    series_changed,
)
from realtime.publishing import publish

logger = logging.getLogger(__name__)


@receiver([scan_requested, scan_started])
def tell_scan_started(scan: Scan, **_kwargs: Any) -> None:
    publish(
        ScanRoom(),
        ScanStarted(
            scan_id=scan.pk,
            root=scan.root.name,
            status=scan.state,
            by=scan.requested_by,
        ),
    )


@receiver(scan_progressed)
def tell_scan_progress(scan: Scan, key: str | None, **_kwargs: Any) -> None:
    publish(
        ScanRoom(),
        ScanProgress(
            scan_id=scan.pk,
            root=scan.root.name,
            current=scan.current,
            total=scan.total,
            percent=scan.percent,
            key=key,
            folder=scan.folder or None,
        ),
    )


@receiver(scan_finished)
def tell_scan_finished(scan: Scan, **_kwargs: Any) -> None:
    if scan.state != Scan.State.DONE:
        publish(
            ScanRoom(),
            ScanFailed(
                scan_id=scan.pk,
                root=scan.root.name,
                error_message=scan.error or "The scan failed.",
                cancelled=scan.state == Scan.State.CANCELLED,
            ),
        )
        return
    duration = (
        (scan.finished_at - scan.started_at).total_seconds()
        if scan.finished_at and scan.started_at
        else 0.0
    )
    publish(
        ScanRoom(),
        ScanComplete(
            scan_id=scan.pk,
            root=scan.root.name,
            series_found=scan.series_found,
            duration=max(0.0, duration),
            added=scan.added,
            updated=scan.updated,
            vanished=scan.vanished,
            held=scan.held,
            unmatched=scan.unmatched,
        ),
    )


class SeriesTeller:
    """Tells of some series once the transaction has committed; whatever else changes in it joins."""

    def __init__(self) -> None:
        self.series_ids: set[int] = set()

    def __call__(self) -> None:
        # Django's own robust way asks a function for its name, which an object has not.
        try:
            self._tell()
        except Exception:
            logger.exception("Changes of series cannot be told")

    def _tell(self) -> None:
        for series in Series.objects.filter(pk__in=self.series_ids).with_counts():
            message = SeriesUpdated(
                key=series.key,
                folder=series.folder or None,
                title=series.title,
                year=series.year,
                is_monitored=series.is_monitored,
                episode_count=series.episode_count,
                have_count=series.have_count,
                missing_count=series.missing_count,
            )
            publish(SeriesRoom(key=series.key), message)
            publish(LibraryRoom(), message)


@receiver(series_changed)
def tell_series_changed(series_ids: Collection[int], **_kwargs: Any) -> None:
    # A form that saves a hundred episodes, or a series that goes with all of its
    # own, would otherwise be counted and told a hundred times.
    waiting = (entry[1] for entry in transaction.get_connection().run_on_commit)
    teller = next((each for each in waiting if isinstance(each, SeriesTeller)), None)
    if teller is None:
        teller = SeriesTeller()
        teller.series_ids.update(series_ids)
        transaction.on_commit(teller)
    else:
        teller.series_ids.update(series_ids)


@receiver(post_save, sender=Series)
def tell_series_saved(instance: Series, **_kwargs: Any) -> None:
    tell_series_changed({instance.pk})


@receiver(post_delete, sender=Series)
def tell_series_removed(instance: Series, **_kwargs: Any) -> None:
    folder = instance.folder or None
    message = SeriesRemoved(key=instance.key, folder=folder, title=instance.title)
    publish(SeriesRoom(key=instance.key), message)
    publish(LibraryRoom(), message)


@receiver([post_save, post_delete], sender=Season)
def tell_season_saved(instance: Season, **kwargs: Any) -> None:
    if not _goes_with_its_owner(Season, **kwargs):
        tell_series_changed({instance.series_id})


@receiver([post_save, post_delete], sender=Episode)
def tell_episode_saved(instance: Episode, **kwargs: Any) -> None:
    if not _goes_with_its_owner(Episode, **kwargs):
        tell_series_changed(_series_of_season(Q(pk=instance.season_id)))


@receiver([post_save, post_delete], sender=EpisodeFileLink)
def tell_link_saved(instance: EpisodeFileLink, **kwargs: Any) -> None:
    if not _goes_with_its_owner(EpisodeFileLink, **kwargs):
        tell_series_changed(_series_of_season(Q(episodes=instance.episode_id)))


@receiver([post_save, post_delete], sender=EpisodeFile)
def tell_file_saved(instance: EpisodeFile, **_kwargs: Any) -> None:
    if instance.series_id is not None:
        tell_series_changed({instance.series_id})


def _goes_with_its_owner(
    model: type[Model], *, origin: Model | QuerySet[Any] | None = None, **_kwargs: Any
) -> bool:
    """Tell whether a row is deleted since what it belongs to is, which is told by itself."""
    started = origin.model if isinstance(origin, QuerySet) else type(origin)
    return origin is not None and started is not model


def _series_of_season(condition: Q) -> set[int]:
    seasons = Season.objects.filter(condition)
    return set(seasons.values_list("series_id", flat=True))


@receiver(root_changed)
def tell_root_changed(root: RootFolder, **_kwargs: Any) -> None:
    publish(
        LibraryRoom(),
        RootUpdated(
            root_id=root.pk,
            root=root.name,
            is_online=root.is_online,
            file_count=root.file_count,
            unmatched=EpisodeFile.objects.unmatched().filter(root=root).count(),
            held=root.held_vanished,
        ),
    )


@receiver([post_save, post_delete], sender=RootFolder)
def tell_root_saved(instance: RootFolder, **_kwargs: Any) -> None:
    tell_root_changed(instance)
