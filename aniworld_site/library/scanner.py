"""Reconciles a root folder with the rows and announces what it does; knows no browser and no Celery.

A scan may be killed at any moment: each batch of folders is one transaction, and what was not reached stays as it was.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from aniworld_site.exceptions import DomainError
from aniworld_site.library.matching import refresh_has_file, touch_series
from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    SeriesFolder,
)
from aniworld_site.library.naming import printable
from aniworld_site.library.reconciling import Outcome, Reconciler, series_of
from aniworld_site.library.series_folders import top_folder
from aniworld_site.library.signals import root_changed, scan_progressed, series_changed
from aniworld_site.library.transitions import (
    LeaseLostError,
    beat,
    fail_scan,
    finish_scan,
    release_scan,
)
from aniworld_site.library.walking import Listing, Walk, count_videos, offline_reason

logger = logging.getLogger(__name__)

BATCH_FILES, BATCH_FOLDERS, LARGEST_BATCH_FILES = 1500, 300, 4000
# Rows settle at least this often, so that a slow disk's series appear as they are read.
BATCH_S = 1.0
# Just over a fifth of a second, so that no second holds more than five reports, the last one included.
REPORT_S = 0.25
BEAT_S = 0.5
CHUNK = 1000
MOST_PROBLEMS = 100
KEEP_VANISHED = timedelta(days=90)

# Set when the process is asked to end: running scans go back to the queue for the next worker.
shutting_down = threading.Event()


class RootOfflineError(DomainError):
    """The root folder is not there, or looks as if its disk were not mounted: nothing may be concluded from it."""


class ScanCancelledError(Exception):
    """A person asked the scan to stop."""


class ScanInterruptedError(Exception):
    """The process is ending."""


def run_scan(scan: Scan) -> None:
    """Do a claimed scan to its end, whatever that is; never raises. Files on disk are only read.

    When two processes run the same scan, the one whose lease was taken away stops without writing.
    """
    try:
        _Scanner(scan=scan).run()
        finish_scan(scan)
    except LeaseLostError:
        logger.warning("Scan %s went to another process.", scan.pk)
    except Exception as error:  # noqa: BLE001  # Whatever happened, a person has to be told how the scan ended.
        _end_badly(scan, error)


def plan_scan(scan: Scan, tell: Callable[[str], None]) -> None:
    """Work out what a scan would do and tell it line by line; `scan` need not be saved, and nothing is changed.

    Raises:
        RootOfflineError: The root cannot be read.
    """
    _Scanner(scan=scan, plan=tell).run()


def _end_badly(scan: Scan, error: Exception) -> None:
    try:
        if isinstance(error, ScanInterruptedError):
            release_scan(scan)
        elif isinstance(error, ScanCancelledError):
            fail_scan(scan, "Cancelled.", cancelled=True)
        elif isinstance(error, DomainError):
            fail_scan(scan, str(error))
        else:
            logger.error("Scan %s failed", scan.pk, exc_info=error)
            fail_scan(
                scan,
                f"An error of AniWorld ended the scan: {type(error).__name__}: {error}. The log has the details.",
            )
    except LeaseLostError:
        logger.warning("Scan %s went to another process.", scan.pk)
    except Exception:
        # The database is away: the lease runs out, and the scan is taken up again.
        logger.exception("Scan %s could not be ended", scan.pk)


@dataclass(slots=True, kw_only=True)
class _Scanner:
    """One scan on its way."""

    scan: Scan
    plan: Callable[[str], None] | None = None
    root: RootFolder = field(init=False)
    walk: Walk = field(init=False)
    reconciler: Reconciler = field(init=False)
    folders_read: set[str] = field(default_factory=set)
    lost: list[int] = field(default_factory=list)
    known_files: int = 0
    folder: str = ""
    key: tuple[str, str | None] = ("", None)
    reported_at: float = 0.0
    beaten_at: float = 0.0

    def __post_init__(self) -> None:
        self.root = self.scan.root
        self.walk = Walk(root=self.root.path, on_folder=self._on_folder)
        newest_pk = EpisodeFile.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self.reconciler = Reconciler(
            root=self.root,
            is_full=self.scan.is_full,
            newest_pk=newest_pk,
            plan=self.plan,
            problems=self.walk.problems,
        )

    def run(self) -> None:
        self.known_files = EpisodeFile.objects.present().filter(root=self.root).count()
        starts = self._starts()
        self._check_online()
        self._report(force=True)
        self.scan.total = self._expected(starts)
        for batch in self._batches(starts):
            self._settle(batch)
        self._settle_lost(self._lost_with_their_folders(starts))
        self._close()

    # What there is to read

    def _starts(self) -> list[str]:
        """Return the folders to begin at: the root, or those of the one series."""
        if self.scan.series_id is None:
            return [""]
        return list(
            SeriesFolder.objects.filter(root=self.root, series=self.scan.series_id)
            .order_by("name")
            .values_list("name", flat=True)
        )

    def _check_online(self) -> None:
        reason = offline_reason(self.root.path, holds_files=self.known_files > 0)
        if self.plan is None and (
            reason != self.root.offline_reason or self.root.is_online == bool(reason)
        ):
            self.root.is_online, self.root.offline_reason = not reason, reason
            self.root.save(update_fields=["is_online", "offline_reason"])
            root_changed.send(RootFolder, root=self.root)
        if reason:
            raise RootOfflineError(reason)

    def _expected(self, starts: list[str]) -> int:
        """Return how many files there were last time; a first scan counts names, which is quick, since nothing is looked at."""
        if self.scan.series_id is not None:
            return (
                EpisodeFile.objects.present()
                .filter(root=self.root, series=self.scan.series_id)
                .count()
            )
        return self.known_files or count_videos(
            self.root.path, on_folder=lambda _path: self._beat_if_due()
        )

    def _listings(self, starts: list[str]) -> Iterator[Listing]:
        for start in starts:
            try:
                yield from self.walk.listings(start)
            except FileNotFoundError:
                if not start:
                    raise RootOfflineError(
                        f"{printable(self.root.path)} is not there any more."
                    ) from None
            except OSError as error:
                if not start:
                    raise RootOfflineError(
                        f"{printable(self.root.path)} cannot be read: {error.strerror or error}."
                    ) from error
                self.walk.problems.append(
                    f"{printable(start)} could not be read: {error.strerror or error}."
                )
                self.walk.unread.append(start)

    def _batches(self, starts: list[str]) -> Iterator[list[Listing]]:
        """Yield folders in portions that end where a top folder does, unless it is huge: its files are judged together."""
        batch: list[Listing] = []
        files, began_at = 0, time.monotonic()
        for listing in self._listings(starts):
            is_due = (
                files >= BATCH_FILES
                or len(batch) >= BATCH_FOLDERS
                or time.monotonic() - began_at > BATCH_S
            )
            if batch and (
                (is_due and top_folder(listing.folder) != top_folder(batch[-1].folder))
                or files >= LARGEST_BATCH_FILES
            ):
                yield batch
                batch, files, began_at = [], 0, time.monotonic()
            batch.append(listing)
            files += len(listing.files)
            self.scan.current += len(listing.files)
            self.folders_read.add(listing.folder)
        if batch:
            yield batch

    # What is done about it

    def _settle(self, batch: list[Listing]) -> None:
        outcome = self.reconciler.apply(batch, unread_files=self.walk.unread_files)
        self.lost += outcome.lost
        self._count(outcome)
        self._announce(outcome.series_ids)
        self._beat_if_due()

    def _count(self, outcome: Outcome) -> None:
        self.scan.added += outcome.added
        self.scan.updated += outcome.updated
        self.scan.moved += outcome.moved

    def _lost_with_their_folders(self, starts: list[str]) -> list[int]:
        """Return all rows whose file is gone: those missed in folders that were read, and those of folders that are no more."""
        rows = EpisodeFile.objects.present().filter(root=self.root).order_by()
        if self.scan.series_id is not None:
            rows = rows.filter(series=self.scan.series_id)
        unread = [f"{folder}/" for folder in self.walk.unread]
        tops = set(starts)
        gone = [
            folder
            for folder in rows.values_list("folder", flat=True).distinct()
            if folder not in self.folders_read
            and ("" in tops or top_folder(folder) in tops)
            and not any(f"{folder}/".startswith(prefix) for prefix in unread)
        ]
        lost = [pk for pk in self.lost if pk not in self.reconciler.moved_pks]
        for at in range(0, len(gone), CHUNK):
            lost += (
                rows.filter(folder__in=gone[at : at + CHUNK])
                .exclude(pk__in=self.reconciler.moved_pks if self.plan else ())
                .values_list("pk", flat=True)
            )
        return lost

    def _settle_lost(self, lost: list[int]) -> None:
        """Mark what is gone as vanished, unless so much is gone that a person should be asked first."""
        self.scan.held = (
            len(lost)
            if lost
            and len(lost) * 5 > self.known_files
            and not self.scan.accepts_vanished
            else 0
        )
        if self.plan is not None:
            verb = "keep, although not found," if self.scan.held else "vanished"
            for at in range(0, len(lost), CHUNK):
                for row in EpisodeFile.objects.filter(pk__in=lost[at : at + CHUNK]):
                    self.plan(f"{verb} {printable(str(row))}")
            return
        if self.scan.held:
            return
        for at in range(0, len(lost), CHUNK):
            self._announce(mark_vanished(lost[at : at + CHUNK]))
            self._beat_if_due()
        self.scan.vanished = len(lost)

    def _close(self) -> None:
        scan, root = self.scan, self.root
        self.folder, scan.percent, scan.total = "", 100.0, scan.current
        present = EpisodeFile.objects.present().filter(root=root)
        scan.series_found = (
            present.filter(series__isnull=False)
            .order_by()
            .values("series")
            .distinct()
            .count()
        )
        scan.unmatched = present.filter(match=EpisodeFile.Match.UNMATCHED).count()
        scan.problems = [
            printable(problem)[:500] for problem in self.walk.problems[:MOST_PROBLEMS]
        ]
        if self.plan is not None:
            return
        if scan.series_id is None:
            root.scanned_at = timezone.now()
            EpisodeFile.objects.filter(
                root=root, vanished_at__lt=root.scanned_at - KEEP_VANISHED
            ).delete()
        if scan.series_id is None or scan.accepts_vanished:
            root.held_vanished = scan.held
        root.file_count = present.count()
        root.save(update_fields=["scanned_at", "held_vanished", "file_count"])
        self._report(force=True)
        root_changed.send(RootFolder, root=root)

    # What others are told

    def _announce(self, series_ids: Collection[int]) -> None:
        if series_ids and self.plan is None:
            series_changed.send(EpisodeFile, series_ids=set(series_ids))

    def _on_folder(self, folder: str) -> None:
        self.folder = folder
        self._beat_if_due()
        self._report()

    def _report(self, *, force: bool = False) -> None:
        scan, now = self.scan, time.monotonic()
        if self.plan is not None or (now - self.reported_at < REPORT_S and not force):
            return
        self.reported_at = now
        scan.folder = printable(self.folder)[:300]
        scan.total = max(scan.total, scan.current)
        if scan.percent < 100:
            # The last percent is the end's own, since a tree may hold more than was counted.
            scan.percent = max(
                scan.percent,
                min(99.0, round(100 * scan.current / (scan.total or 1), 1)),
            )
        scan_progressed.send(Scan, scan=scan, key=self._series_key())

    def _series_key(self) -> str | None:
        top = top_folder(self.folder)
        if self.key[0] != top:
            row = (
                SeriesFolder.objects.filter(
                    root=self.root, name=top, series__isnull=False
                )
                .values_list("series__key", flat=True)
                .first()
            )
            self.key = top, row
        return self.key[1]

    def _beat_if_due(self) -> None:
        if shutting_down.is_set():
            raise ScanInterruptedError
        if self.plan is not None or time.monotonic() - self.beaten_at < BEAT_S:
            return
        self.beaten_at = time.monotonic()
        if beat(self.scan):
            raise ScanCancelledError


def mark_vanished(file_ids: list[int]) -> set[int]:
    """Mark files as vanished and return the series concerned. Rows and links stay, for the day the files return."""
    with transaction.atomic():
        EpisodeFile.objects.filter(pk__in=file_ids).update(vanished_at=timezone.now())
        refresh_has_file(
            set(
                EpisodeFileLink.objects.filter(file__in=file_ids).values_list(
                    "episode_id", flat=True
                )
            )
        )
        series_ids = series_of(file_ids)
        touch_series(series_ids)
    return series_ids
