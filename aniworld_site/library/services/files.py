"""What a person can do with files, above all with those that matched nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import QuerySet

from aniworld_site.exceptions import DomainError
from aniworld_site.library.matching import (
    Catalogue,
    Reading,
    Slot,
    link,
    refresh_has_file,
    touch_series,
)
from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Series,
    SeriesFolder,
)
from aniworld_site.library.naming import match_key, parse_path, printable
from aniworld_site.library.reconciling import relink
from aniworld_site.library.services.announcing import announce_roots, announce_series
from aniworld_site.library.services.series import add_series
from aniworld_site.library.signals import root_changed


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
    announce_series(before | {series.pk})
    announce_roots(rows)
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
    announce_series(before | {series.pk})
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


def settle_links(file: EpisodeFile, *, were: Collection[int]) -> None:
    """Make everything follow the links of a file that a person has just edited; `were` are the episodes linked before."""
    with transaction.atomic():
        episode_ids = {*were, *file.links.values_list("episode_id", flat=True)}
        is_linked = file.links.exists()
        file.match = (
            EpisodeFile.Match.LINKED if is_linked else EpisodeFile.Match.UNMATCHED
        )
        file.is_locked = True
        file.reason = (
            "Linked by hand." if is_linked else "Its links were removed by hand."
        )
        file.save(update_fields=["match", "is_locked", "reason"])
        refresh_has_file(episode_ids)
        series_ids = set(
            Series.objects.filter(seasons__episodes__in=episode_ids).values_list(
                "pk", flat=True
            )
        )
        touch_series(series_ids)
    announce_series(series_ids)
    announce_roots([file])


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
    announce_series(series_ids)
    announce_roots(rows)
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
