"""What is different between some folders on disk and their rows. Reads rows, writes none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import ExpressionWrapper, F, TextField

from aniworld_site.library.fields import from_stored
from aniworld_site.library.models import EpisodeFile, RootFolder, SeriesFolder
from aniworld_site.library.series_folders import top_folder
from aniworld_site.library.walking import FoundFile, Listing


class KnownFile(NamedTuple):
    """What a rescan needs of a row, and no more: most rows are only compared."""

    pk: int
    size_bytes: int
    mtime_ns: int
    inode: int


@dataclass(slots=True, kw_only=True)
class Difference:
    """What a batch of listings shows that the rows do not."""

    new: list[FoundFile] = field(default_factory=list)
    returned: dict[int, FoundFile] = field(default_factory=dict)
    """Row → file that had vanished and is back at its place."""
    changed: dict[int, FoundFile] = field(default_factory=dict)
    """Row → file of another size, time or inode."""
    unread_again: dict[int, FoundFile] = field(default_factory=dict)
    """Row → unchanged file whose name is to be read again."""
    lost: list[int] = field(default_factory=list)
    """Rows whose file was not there, though its folder was read."""
    tops: dict[str, SeriesFolder] = field(default_factory=dict)
    """Top folder → its row, for those that hold anything different."""
    nfo: dict[str, int] = field(default_factory=dict)
    """Top folder → modification time of its tvshow.nfo."""
    open_tops: set[str] = field(default_factory=set)
    """Top folders of which the series is to be found (again)."""

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.returned or self.changed or self.unread_again)


def compare(
    root: RootFolder,
    listings: Sequence[Listing],
    *,
    unread_files: set[str],
    is_full: bool,
) -> Difference:
    """Compare some whole folders with their rows: one query, three at most."""
    difference = Difference(
        nfo={
            item.folder: item.nfo_mtime_ns
            for item in listings
            if item.nfo_mtime_ns is not None and item.folder and "/" not in item.folder
        }
    )
    known = _known_files(root, listings)
    for listing in listings:
        _compare_folder(
            listing, known.get(listing.folder, {}), difference, unread_files
        )
    if difference.new:
        _find_returned(root, difference)
    if not (difference.new or difference.nfo or is_full):
        return difference
    tops = {top_folder(listing.folder) for listing in listings} - {""}
    difference.tops = {
        row.name: row
        for row in SeriesFolder.objects.filter(root=root, name__in=tops).select_related(
            "series"
        )
    }
    difference.open_tops = _open_tops(difference, tops, is_full=is_full)
    if is_full or difference.open_tops:
        for listing in listings:
            if is_full or top_folder(listing.folder) in difference.open_tops:
                rows = known.get(listing.folder, {})
                difference.unread_again |= {
                    row.pk: file
                    for file in listing.files
                    if (row := rows.get(file.name)) and row.pk not in difference.changed
                }
    return difference


def _compare_folder(
    listing: Listing,
    rows: dict[str, KnownFile],
    difference: Difference,
    unread_files: set[str],
) -> None:
    met = 0
    for file in listing.files:
        row = rows.get(file.name)
        if row is None:
            difference.new.append(file)
            continue
        met += 1
        if row[1:] != file[2:]:
            difference.changed[row.pk] = file
    if met < len(rows):
        there = {file.name for file in listing.files}
        prefix = f"{listing.folder}/" if listing.folder else ""
        difference.lost += [
            row.pk
            for name, row in rows.items()
            if name not in there and f"{prefix}{name}" not in unread_files
        ]


def _known_files(
    root: RootFolder, listings: Sequence[Listing]
) -> dict[str, dict[str, KnownFile]]:
    known: dict[str, dict[str, KnownFile]] = defaultdict(dict)
    folders = [listing.folder for listing in listings]
    rows = EpisodeFile.objects.present().filter(root=root, folder__in=folders)
    # As plain text: converting each name of a large library would take a tenth
    # of a rescan, and all but a few are the same either way.
    plain = rows.order_by().values_list(
        ExpressionWrapper(F("folder"), TextField()),
        ExpressionWrapper(F("name"), TextField()),
        "pk",
        "size_bytes",
        "mtime_ns",
        "inode",
    )
    for folder, name, *rest in plain:
        known[folder][name] = KnownFile(*rest)
    return {
        from_stored(folder): {from_stored(name): row for name, row in files.items()}
        if not all(map(str.isascii, files))
        else files
        for folder, files in known.items()
    }


def _find_returned(root: RootFolder, difference: Difference) -> None:
    vanished = EpisodeFile.objects.filter(
        root=root,
        vanished_at__isnull=False,
        folder__in={file.folder for file in difference.new},
    )
    rows = {
        (folder, name): pk
        for pk, folder, name in vanished.values_list("pk", "folder", "name")
    }
    if rows:
        difference.returned = {
            pk: file
            for file in difference.new
            if (pk := rows.get((file.folder, file.name)))
        }
        difference.new = [
            file for file in difference.new if (file.folder, file.name) not in rows
        ]


def _open_tops(difference: Difference, tops: set[str], *, is_full: bool) -> set[str]:
    """Return the folders whose series is not settled and may be now, or whose tvshow.nfo is another. What a person decided is settled."""
    with_new = {top_folder(file.folder) for file in difference.new} - {""}
    found = set()
    for name in tops:
        row = difference.tops.get(name)
        if row is None:
            undecided, renewed = True, False
        else:
            undecided = row.series is None and not row.is_ignored and not row.is_locked
            renewed = (
                not row.is_locked
                and not row.is_ignored
                and name in difference.nfo
                and row.nfo_mtime_ns != difference.nfo[name]
            )
        if renewed or (undecided and (is_full or name in with_new)):
            found.add(name)
    return found
