"""What a person can do with the library. Each commits what it does; what it publishes goes out after the commit."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from aniworld_site.exceptions import DomainError
from aniworld_site.library import transitions
from aniworld_site.library.matching import (
    Catalogue,
    Reading,
    Slot,
    link,
    refresh_has_file,
    touch_series,
)
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    Series,
    SeriesFolder,
)
from aniworld_site.library.naming import match_key, parse_path, printable
from aniworld_site.library.reconciling import relink
from aniworld_site.library.scanner import run_scan
from aniworld_site.library.series_folders import assign_keys, sort_title
from aniworld_site.library.signals import root_changed, series_changed
from aniworld_site.library.tasks import do_scan
from aniworld_site.library.transitions import (
    ScanRequest,
    claim_scan,
    follow,
    open_scan,
    release_stale_scans,
)

logger = logging.getLogger(__name__)

LONGEST_NAME = 80
CHUNK = 500


# Root folders


def add_root(path: str, *, name: str = "") -> RootFolder:
    """Add a folder to the library. Nothing is read yet.

    Raises:
        DomainError: It is no folder that can be read, it is one of ours already or lies in or around one, or the name is taken.
    """
    real = check_root_path(path)
    for other in RootFolder.objects.all():
        if other.path == real:
            raise DomainError(
                f"{printable(real)} is in the library already, as {other.name}."
            )
        if f"{real}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(
            f"{real}/"
        ):
            raise DomainError(
                f"{printable(real)} and {printable(other.path)} ({other.name}) lie in one another: their files would be counted twice."
            )
    wanted = name.strip() or printable(os.path.basename(real)) or printable(real)
    if len(wanted) > LONGEST_NAME:
        raise DomainError(
            f"A name has at most {LONGEST_NAME} characters, this one {len(wanted)}."
        )
    if RootFolder.objects.filter(name=wanted).exists():
        raise DomainError(
            f"The name {wanted} is taken by another root folder: choose another."
        )
    try:
        return RootFolder.objects.create(path=real, name=wanted)
    except IntegrityError:
        raise DomainError(
            f"{printable(real)} was added by somebody else at the same moment."
        ) from None


def check_root_path(path: str) -> str:
    """Return the path as the library keeps it: absolute, without links or a slash at its end.

    Raises:
        DomainError: It is not absolute, or no folder that can be read.
    """
    if "\0" in path or not os.path.isabs(os.path.expanduser(path)):
        raise DomainError(
            f"A root folder is given by its absolute path, like /media/series, not {printable(path)!r}."
        )
    real = os.path.realpath(os.path.expanduser(path))
    try:
        with os.scandir(real):
            pass
    except FileNotFoundError:
        raise DomainError(f"{printable(real)} does not exist.") from None
    except NotADirectoryError:
        raise DomainError(
            f"{printable(real)} is a file: a root is a folder whose sub-folders are series."
        ) from None
    except OSError as error:
        raise DomainError(
            f"{printable(real)} cannot be read: {error.strerror or error}."
        ) from error
    if real == "/":
        raise DomainError(
            "The whole file system cannot be a root folder: choose the folder that holds your series."
        )
    return real


def remove_root(root: RootFolder) -> None:
    """Forget a root, its files and scans; nothing on disk is touched. Series and episodes stay, the latter as missing.

    Raises:
        DomainError: A scan of it is active.
    """
    with transaction.atomic():
        if Scan.objects.active().filter(root=root).exists():
            raise DomainError(f"{root.name} is being scanned: cancel the scan first.")
        episode_ids = set(
            EpisodeFileLink.objects.filter(file__root=root).values_list(
                "episode_id", flat=True
            )
        )
        series_ids = set(
            EpisodeFile.objects.filter(root=root, series__isnull=False).values_list(
                "series_id", flat=True
            )
        )
        root.delete()
        for chunk in _chunks(episode_ids):
            refresh_has_file(chunk)
    _announce(series_ids)


# Scans


def request_scan(
    root: RootFolder,
    *,
    by: str,
    series: Series | None = None,
    is_full: bool = False,
    accepts_vanished: bool = False,
) -> Scan:
    """Ask the worker to scan a root, or in it one series; a second request joins the first.

    When the broker is away the request waits in the database, and the worker finds it within a minute of its return.

    Raises:
        DomainError: The root does not hold the series.
    """
    if (
        series is not None
        and not SeriesFolder.objects.filter(root=root, series=series).exists()
    ):
        raise DomainError(f"{root.name} has no folder of {series}.")
    scan, _is_new = open_scan(
        ScanRequest(
            root=root,
            by=by,
            series=series,
            is_full=is_full,
            accepts_vanished=accepts_vanished,
        )
    )
    transaction.on_commit(partial(_wake_worker, scan.pk))
    return scan


def request_series_scans(
    series: Series, *, by: str, is_full: bool = False
) -> list[Scan]:
    """Ask for a scan of one series in each root that has a folder of it.

    Raises:
        DomainError: No root has.
    """
    roots = RootFolder.objects.filter(series_folders__series=series).distinct()
    scans = [
        request_scan(root, by=by, series=series, is_full=is_full) for root in roots
    ]
    if not scans:
        raise DomainError(f"No root folder has a folder of {series}.")
    return scans


def cancel_scan(scan: Scan) -> None:
    """Ask that a scan stop. What it did until then stays.

    Raises:
        DomainError: It has ended already.
    """
    if not transitions.cancel_scan(scan):
        raise DomainError("That scan has ended already.")
    transaction.on_commit(partial(_wake_worker, scan.pk))


def run_scan_here(scan: Scan) -> bool:
    """Do a requested scan in this process, and the one that was asked for meanwhile; `False` when another process has it."""
    release_stale_scans()
    if not claim_scan(scan):
        return False
    run_scan(scan)
    if after := follow(scan):
        run_scan_here(after)
    return True


def _wake_worker(scan_id: int) -> None:
    try:
        do_scan.apply_async((scan_id,), retry=False)
    except OperationalError as error:
        logger.warning("Scan %s waits for the broker: %s", scan_id, error)


# Series and episodes


def add_series(title: str, *, year: int | None = None) -> Series:
    """Add a series by hand; its key is made of the title.

    Raises:
        DomainError: There is no title, or this series is there already.
    """
    title = printable(title).strip()[:250]
    if not match_key(title):
        raise DomainError("A series needs a title with at least one letter or digit.")
    if Series.objects.filter(match_key=match_key(title)[:250], year=year).exists():
        raise DomainError(
            f"{title}{f' ({year})' if year else ''} is in the library already."
        )
    series = Series(
        title=title,
        sort_title=sort_title(title),
        match_key=match_key(title)[:250],
        year=year,
    )
    assign_keys([series])
    series.save()
    return series


def set_monitored(series: QuerySet[Series], *, is_monitored: bool) -> int:
    """Monitor these series or stop doing so; return how many that changed."""
    changed = set(
        series.exclude(is_monitored=is_monitored).values_list("pk", flat=True)
    )
    Series.objects.filter(pk__in=changed).update(
        is_monitored=is_monitored, changed_at=timezone.now()
    )
    _announce(changed)
    return len(changed)


def set_wanted(episodes: QuerySet[Episode], *, is_wanted: bool) -> int:
    """Want these episodes, or no longer: what was deleted on purpose does not count as missing. Return how many that changed."""
    changed = dict(
        episodes.exclude(is_wanted=is_wanted).values_list("pk", "season__series_id")
    )
    Episode.objects.filter(pk__in=changed).update(is_wanted=is_wanted)
    touch_series(set(changed.values()))
    _announce(set(changed.values()))
    return len(changed)


# Unmatched files


def assign_files(
    files: QuerySet[EpisodeFile],
    *,
    series: Series,
    season: int | None = None,
    episode: int | None = None,
) -> int:
    """Link files to a series by hand; no scan changes that again. Return how many were linked.

    With a season and no episode, or neither, the numbers come from the names; with both, all files are that one episode.

    Raises:
        DomainError: A number cannot be read from a name, or an episode is given without a season. Nothing is changed then.
    """
    if episode is not None and season is None:
        raise DomainError("An episode needs its season: 0 for specials.")
    rows = list(files.select_related("root", "series"))
    readings = [
        Reading(
            file=row,
            parsed=parse_path(str(row), is_anime=row.root.is_anime),
            folder=None,
            series=series,
        )
        for row in rows
    ]
    with transaction.atomic():
        catalogue = Catalogue.of([series.pk])
        for reading in readings:
            reading.slots = _slots_by_hand(reading, season=season, episode=episode)
        before = {row.series_id for row in rows if row.series_id is not None}
        _unlink(rows)
        catalogue = Catalogue.of([series.pk])
        for reading in readings:
            (
                reading.file.series,
                reading.file.match,
                reading.file.is_locked,
                reading.file.reason,
            ) = series, EpisodeFile.Match.LINKED, True, "Linked by hand."
        EpisodeFile.objects.bulk_update(
            rows, ["series", "match", "is_locked", "reason"], batch_size=200
        )
        link(readings, catalogue)
        EpisodeFileLink.objects.filter(file__in=rows).update(
            is_locked=True, how="by hand", confidence=1.0
        )
        touch_series(before | {series.pk})
    _announce(before | {series.pk})
    _announce_roots(rows)
    return len(rows)


def assign_folder(
    root: RootFolder,
    name: str,
    *,
    series: Series | None,
    title: str = "",
    year: int | None = None,
) -> Series:
    """Say which series a folder is, an existing one or a new one of that title; its unmatched files are matched again.

    Raises:
        DomainError: The root has no such folder, or the title cannot be used.
    """
    with transaction.atomic():
        if series is None:
            series = (
                Series.objects.filter(
                    match_key=match_key(title)[:250], year=year
                ).first()
                if match_key(title)
                else None
            )
            series = series or add_series(title, year=year)
        if not series.folder:
            series.folder = printable(name)[:300]
            series.save(update_fields=["folder"])
        folder = _set_folder(
            root, name, series=series, is_ignored=False, reason="Set by hand."
        )
        rows = list(
            _files_in(folder)
            .filter(is_locked=False)
            .exclude(links__is_locked=True)
            .select_related("root")
        )
        before = {row.series_id for row in rows if row.series_id is not None}
        readings = [
            Reading(
                file=row,
                parsed=parse_path(str(row), is_anime=root.is_anime),
                folder=folder,
                series=series,
            )
            for row in rows
        ]
        moved = [row for row in rows if row.series_id not in (None, series.pk)]
        _unlink(moved)
        catalogue = Catalogue.of([series.pk])
        link(relink(readings, catalogue), catalogue)
        touch_series(before | {series.pk})
    _announce(before | {series.pk})
    root_changed.send(RootFolder, root=root)
    return series


def ignore_files(files: QuerySet[EpisodeFile]) -> int:
    """Take files off the unmatched list for good; return how many that changed."""
    return _set_match(
        files.exclude(match=EpisodeFile.Match.IGNORED),
        EpisodeFile.Match.IGNORED,
        is_locked=True,
        reason="Ignored by hand.",
    )


def unignore_files(files: QuerySet[EpisodeFile]) -> int:
    """Put ignored files back on the unmatched list; return how many that changed."""
    return _set_match(
        files.filter(match=EpisodeFile.Match.IGNORED),
        EpisodeFile.Match.UNMATCHED,
        is_locked=False,
        reason="No longer ignored.",
    )


def ignore_folder(root: RootFolder, name: str) -> int:
    """Ignore a folder and all that is and comes in it; return how many files left the unmatched list.

    Raises:
        DomainError: The root has no such folder.
    """
    folder = _set_folder(
        root, name, series=None, is_ignored=True, reason="Ignored by hand."
    )
    return _set_match(
        _files_in(folder).filter(match=EpisodeFile.Match.UNMATCHED),
        EpisodeFile.Match.IGNORED,
        is_locked=False,
        reason="Its folder is ignored.",
    )


def _slots_by_hand(
    reading: Reading, *, season: int | None, episode: int | None
) -> list[Slot]:
    parsed = reading.parsed
    if season is not None and episode is not None:
        return [Slot(season, episode)]
    numbers = parsed.episodes or parsed.absolute
    if not numbers:
        raise DomainError(
            f"No episode number could be read from {printable(reading.file.name)}: give its season and episode."
        )
    where = (
        season
        if season is not None
        else parsed.season
        if parsed.season is not None
        else 1
    )
    return [Slot(where, number, parsed.label or "") for number in numbers]


def _set_folder(
    root: RootFolder, name: str, *, series: Series | None, is_ignored: bool, reason: str
) -> SeriesFolder:
    if not name or "/" in name:
        raise DomainError("Only a folder directly under the root can be a series.")
    known = SeriesFolder.objects.filter(root=root, name=name)
    if (
        not known.exists()
        and not EpisodeFile.objects.filter(root=root, folder__startswith=name).exists()
    ):
        raise DomainError(f"{root.name} has no folder {printable(name)}.")
    folder, _is_new = SeriesFolder.objects.update_or_create(
        root=root,
        name=name,
        defaults={
            "series": series,
            "is_ignored": is_ignored,
            "is_locked": True,
            "reason": reason,
        },
    )
    return folder


def _files_in(folder: SeriesFolder) -> QuerySet[EpisodeFile]:
    files = EpisodeFile.objects.present().filter(root=folder.root)
    return files.filter(folder=folder.name) | files.filter(
        folder__startswith=f"{folder.name}/"
    )


def _set_match(
    files: QuerySet[EpisodeFile],
    match: EpisodeFile.Match,
    *,
    is_locked: bool,
    reason: str,
) -> int:
    rows = list(files.select_related("root"))
    with transaction.atomic():
        series_ids = {row.series_id for row in rows if row.series_id is not None}
        _unlink(rows)
        for row in rows:
            row.match, row.is_locked, row.reason = match, is_locked, reason
        EpisodeFile.objects.bulk_update(
            rows, ["match", "is_locked", "reason"], batch_size=200
        )
    _announce(series_ids)
    _announce_roots(rows)
    return len(rows)


def _unlink(rows: Iterable[EpisodeFile]) -> None:
    pks = [row.pk for row in rows]
    episode_ids = set(
        EpisodeFileLink.objects.filter(file__in=pks).values_list(
            "episode_id", flat=True
        )
    )
    EpisodeFileLink.objects.filter(file__in=pks).delete()
    refresh_has_file(episode_ids)


def _announce(series_ids: Collection[int]) -> None:
    if series_ids:
        series_changed.send(Series, series_ids=set(series_ids))


def _announce_roots(rows: Iterable[EpisodeFile]) -> None:
    for root in {row.root for row in rows}:
        root_changed.send(RootFolder, root=root)


def _chunks(values: Collection[int]) -> Iterable[list[int]]:
    ordered = sorted(values)
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))
