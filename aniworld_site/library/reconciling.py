"""Bringing the rows of some folders in line with what was found in them: one batch of a scan, one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.db import IntegrityError, transaction

from aniworld_site.library.comparing import Difference, compare
from aniworld_site.library.matching import (
    Catalogue,
    Reading,
    decide,
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
from aniworld_site.library.moves import find_moves
from aniworld_site.library.naming import (
    FolderContext,
    ParsedName,
    match_key,
    parse_folder,
    parse_path,
    printable,
)
from aniworld_site.library.series_folders import (
    MADE,
    Candidate,
    read_nfo,
    resolve,
    save,
    titles_of,
    top_folder,
)
from aniworld_site.library.walking import FoundFile, Listing

ATTEMPTS = 3
SAMPLES = 6
STAT_FIELDS = ["size_bytes", "mtime_ns", "inode", "vanished_at"]
PLACE_FIELDS = ["root", "folder", "name"]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one batch did."""

    added: int = 0
    updated: int = 0
    moved: int = 0
    lost: list[int] = field(default_factory=list)
    """Rows whose file was not there, though its folder was read."""
    series_ids: set[int] = field(default_factory=set)
    """Series of which anything changed."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What is known before the transaction begins: everything that needs the disk or a parser."""

    difference: Difference
    moves: Mapping[FoundFile, EpisodeFile]
    names: Mapping[FoundFile, ParsedName]
    candidates: Sequence[Candidate]


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Applies batches to one root. With `plan` each is worked out, told to it line by line, and rolled back."""

    root: RootFolder
    is_full: bool = False
    newest_pk: int = 0
    """Newest file row from before the scan; later ones cannot have moved."""
    plan: Callable[[str], None] | None = None
    problems: list[str] = field(default_factory=list)
    moved_pks: set[int] = field(default_factory=set)

    def apply(self, listings: Sequence[Listing], *, unread_files: set[str]) -> Outcome:
        """Bring the rows of these folders in line. Without a difference that is one query, and no write."""
        difference = compare(
            self.root, listings, unread_files=unread_files, is_full=self.is_full
        )
        if difference.is_empty:
            return Outcome(lost=difference.lost)
        work = self._prepare(difference)
        outcome = Outcome(lost=difference.lost)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    outcome = self._write(work)
                    if self.plan is not None:
                        transaction.set_rollback(True)
                break
            except IntegrityError:
                # A scan of another root made the same series at the same moment: look again and join it.
                if attempt == ATTEMPTS:
                    raise
        self.moved_pks |= {row.pk for row in work.moves.values()}
        return outcome

    def _prepare(self, difference: Difference) -> Work:
        moves = find_moves(difference.new, self.root, newest_pk=self.newest_pk)
        difference.new = [file for file in difference.new if file not in moves]
        # What was linked stays linked wherever it goes; what was not gets another chance under its new name.
        difference.unread_again |= {
            row.pk: file
            for file, row in moves.items()
            if row.match == EpisodeFile.Match.UNMATCHED
        }
        names = {
            file: parse_path(file.path, is_anime=self.root.is_anime)
            for file in chain(difference.new, difference.unread_again.values())
        }
        return Work(
            difference=difference,
            moves=moves,
            names=names,
            candidates=self._candidates(difference, moves, names),
        )

    def _candidates(
        self,
        difference: Difference,
        moves: Mapping[FoundFile, EpisodeFile],
        names: Mapping[FoundFile, ParsedName],
    ) -> list[Candidate]:
        episodes: dict[str, list[FoundFile]] = defaultdict(list)
        for file, parsed in names.items():
            if parsed.kind != "extra":
                episodes[top_folder(file.folder)].append(file)
        origins: dict[str, Series] = {
            top_folder(file.folder): row.series
            for file, row in moves.items()
            if row.series is not None
        }
        found = []
        for name in sorted(difference.open_tops):
            if episodes[name] or name in origins or name in difference.tops:
                nfo = difference.nfo.get(name)
                context = parse_folder(name)
                ids = (
                    read_nfo(self.root.path, name, self.problems)
                    if nfo is not None
                    else {}
                )
                step = max(1, len(episodes[name]) // SAMPLES)
                found.append(
                    Candidate(
                        name=name,
                        context=context,
                        ids={**context.ids, **ids},
                        nfo_mtime_ns=nfo,
                        titles=titles_of(
                            parse_path(file.name) for file in episodes[name][::step]
                        ),
                        may_be_new=any(names[file].is_sure for file in episodes[name]),
                        moved_from=origins.get(name),
                    )
                )
        return found + _candidates_in_root(names[file] for file in episodes[""])

    def _write(self, work: Work) -> Outcome:
        difference, outcome = work.difference, Outcome(lost=work.difference.lost)
        resolve(work.candidates)
        tops = difference.tops | save(self.root, work.candidates)
        outcome.series_ids |= self._write_stats(difference) | self._write_moves(
            work.moves
        )
        readings = self._read_new(work, tops)
        again = self._read_again(work, tops)
        series_ids = {
            reading.series.pk
            for reading in chain(readings, again)
            if reading.series is not None
        }
        catalogue = Catalogue.of(series_ids)
        for reading in readings:
            decide(reading, catalogue)
        EpisodeFile.objects.bulk_create(
            [reading.file for reading in readings], batch_size=500
        )
        again = relink(again, catalogue)
        link([*readings, *again], catalogue)
        outcome.series_ids |= series_ids if readings or again else set()
        touch_series(outcome.series_ids)
        outcome.added, outcome.moved = len(readings), len(work.moves)
        outcome.updated = (
            len(difference.changed)
            + len(difference.returned)
            + len(work.moves)
            + len(again)
        )
        self._tell(work, readings, again)
        return outcome

    def _write_stats(self, difference: Difference) -> set[int]:
        files = difference.changed | difference.returned
        rows = [
            EpisodeFile(
                pk=pk,
                size_bytes=file.size_bytes,
                mtime_ns=file.mtime_ns,
                inode=file.inode,
                vanished_at=None,
            )
            for pk, file in files.items()
        ]
        EpisodeFile.objects.bulk_update(rows, STAT_FIELDS, batch_size=200)
        return restore_links(list(difference.returned)) | series_of(
            list(difference.changed)
        )

    def _write_moves(self, moves: Mapping[FoundFile, EpisodeFile]) -> set[int]:
        for file, row in moves.items():
            row.root, row.folder, row.name, row.vanished_at = (
                self.root,
                file.folder,
                file.name,
                None,
            )
            row.size_bytes, row.mtime_ns, row.inode = (
                file.size_bytes,
                file.mtime_ns,
                file.inode,
            )
        EpisodeFile.objects.bulk_update(
            moves.values(), PLACE_FIELDS + STAT_FIELDS, batch_size=100
        )
        return restore_links([row.pk for row in moves.values()])

    def _read_new(self, work: Work, tops: Mapping[str, SeriesFolder]) -> list[Reading]:
        by_title = {
            _title_of(candidate.context): candidate.series
            for candidate in work.candidates
            if not candidate.name
        }
        readings = []
        for found in work.difference.new:
            parsed, folder = work.names[found], tops.get(top_folder(found.folder))
            row = EpisodeFile(
                root=self.root,
                folder=found.folder,
                name=found.name,
                size_bytes=found.size_bytes,
                mtime_ns=found.mtime_ns,
                inode=found.inode,
            )
            series = (
                folder.series
                if folder is not None
                else None
                if found.folder
                else by_title.get(_title_of(parsed))
            )
            readings.append(
                Reading(file=row, parsed=parsed, folder=folder, series=series)
            )
        return readings

    def _read_again(
        self, work: Work, tops: Mapping[str, SeriesFolder]
    ) -> list[Reading]:
        """Return readings of unchanged files whose name is read again, but those that a person has settled."""
        found = work.difference.unread_again
        rows = (
            EpisodeFile.objects.filter(pk__in=found, is_locked=False)
            .exclude(links__is_locked=True)
            .select_related("series")
        )
        readings = []
        for row in rows:
            folder = tops.get(top_folder(row.folder))
            series = folder.series if folder is not None else row.series
            readings.append(
                Reading(
                    file=row,
                    parsed=work.names[found[row.pk]],
                    folder=folder,
                    series=series,
                )
            )
        return readings

    def _tell(
        self, work: Work, readings: Sequence[Reading], again: Sequence[Reading]
    ) -> None:
        if self.plan is None:
            return
        difference = work.difference
        lines = [
            f"new series {candidate.series.key}: {candidate.series}"
            for candidate in work.candidates
            if candidate.series is not None and candidate.reason == MADE
        ]
        lines += [f"changed {file.path}" for file in difference.changed.values()]
        lines += [f"returned {file.path}" for file in difference.returned.values()]
        lines += [f"moved to {file.path}" for file in work.moves]
        lines += [f"add {reading.file}: {describe(reading)}" for reading in readings]
        lines += [f"read again {one.file}: {describe(one)}" for one in again]
        for line in lines:
            self.plan(printable(line))


def describe(reading: Reading) -> str:
    """Return what was decided about a file, as part of a sentence."""
    if reading.slots and reading.series is not None:
        slots = ", ".join(
            f"S{slot.season:02}E{slot.label or f'{slot.number:02}'}"
            for slot in reading.slots
        )
        return f"{reading.series.key} {slots} ({reading.parsed.how})"
    return f"{reading.file.match}. {reading.file.reason}"


def relink(readings: Sequence[Reading], catalogue: Catalogue) -> list[Reading]:
    """Decide about known files again and return those that get other links; what has become unsure keeps the links it had. Four queries."""
    linked: dict[int, set[int]] = defaultdict(set)
    for file_id, episode_id in EpisodeFileLink.objects.filter(
        file__in=[reading.file.pk for reading in readings]
    ).values_list("file_id", "episode_id"):
        linked[file_id].add(episode_id)
    changed, saved = [], []
    for reading in readings:
        before = reading.file.match, reading.file.reason, reading.file.series_id
        decide(reading, catalogue)
        file, had = reading.file, linked[reading.file.pk]
        now = (
            {catalogue.episodes[reading.series.pk].get(slot) for slot in reading.slots}
            if reading.series is not None
            else set()
        )
        if reading.slots and now != had:
            changed.append(reading)
        elif had:
            file.match, file.reason, file.series_id = before
        if (file.match, file.reason, file.series_id) != before or reading in changed:
            saved.append(file)
    EpisodeFile.objects.bulk_update(
        saved, ["match", "reason", "series", "facts"], batch_size=200
    )
    relinked = [reading.file.pk for reading in changed]
    emptied = {episode_id for pk in relinked for episode_id in linked[pk]}
    EpisodeFileLink.objects.filter(file__in=relinked).delete()
    refresh_has_file(emptied)
    catalogue.without_file |= emptied
    return changed


def restore_links(file_ids: Sequence[int]) -> set[int]:
    """Make the episodes of files that are present again count as there; return the series concerned."""
    refresh_has_file(
        set(
            EpisodeFileLink.objects.filter(file__in=file_ids).values_list(
                "episode_id", flat=True
            )
        )
    )
    return series_of(file_ids)


def series_of(file_ids: Sequence[int]) -> set[int]:
    return set(
        EpisodeFile.objects.filter(pk__in=file_ids, series__isnull=False).values_list(
            "series_id", flat=True
        )
    )


def _candidates_in_root(parsed: Iterable[ParsedName]) -> list[Candidate]:
    """Return one candidate for each title among files that lie in the root itself and are surely episodes."""
    contexts = {
        _title_of(name): FolderContext(title=name.title, year=name.year, ids=name.ids)
        for name in parsed
        if name.is_sure and name.title
    }
    return [
        Candidate(name="", context=context, ids=context.ids)
        for context in contexts.values()
    ]


def _title_of(named: FolderContext | ParsedName) -> tuple[str, int | None]:
    return match_key(named.title), named.year
