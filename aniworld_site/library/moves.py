"""Recognising a file that was moved or renamed, so that it keeps its links."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from django.db.models import Q

from aniworld_site.library.models import EpisodeFile, RootFolder
from aniworld_site.library.walking import FoundFile

CHUNK = 200


def find_moves(
    found: Sequence[FoundFile], root: RootFolder, *, newest_pk: int
) -> dict[FoundFile, EpisodeFile]:
    """Return which of the new files is a known one whose old place is empty: by inode and size, or else by name and size.

    Only rows up to `newest_pk` count, those from before the scan. What fits several is no move. Two queries for
    200 files, and one look at the disk for each row that fits.
    """
    if not newest_pk:
        return {}
    moves: dict[FoundFile, EpisodeFile] = {}
    taken: set[int] = set()
    for chunk in _chunks(found):
        for by_inode in (True, False):
            open_files = [
                file for file in chunk if file not in moves and file.size_bytes > 0
            ]
            keys = Counter(
                _key(file.inode if by_inode else file.name, file.size_bytes)
                for file in open_files
            )
            rows = _gone_rows(open_files, root, newest_pk=newest_pk, by_inode=by_inode)
            for file in open_files:
                key = _key(file.inode if by_inode else file.name, file.size_bytes)
                fitting = [row for row in rows.get(key, ()) if row.pk not in taken]
                if len(fitting) == 1 and keys[key] == 1:
                    moves[file] = fitting[0]
                    taken.add(fitting[0].pk)
    return moves


def _key(name: int | str, size_bytes: int) -> tuple[int | str, int]:
    return name, size_bytes


def _gone_rows(
    files: Iterable[FoundFile], root: RootFolder, *, newest_pk: int, by_inode: bool
) -> dict[tuple[int | str, int], list[EpisodeFile]]:
    condition = Q(pk__in=[])
    for file in files:
        condition |= (
            Q(inode=file.inode, size_bytes=file.size_bytes)
            if by_inode
            else Q(name=file.name, size_bytes=file.size_bytes)
        )
    rows = (
        EpisodeFile.objects.filter(condition, pk__lte=newest_pk)
        .select_related("root", "series")
        .order_by("pk")
    )
    gone: dict[tuple[int | str, int], list[EpisodeFile]] = defaultdict(list)
    # A name and size that hundreds of files share identifies none of them; the limit keeps them from being fetched.
    fetched = list(rows[: CHUNK * 8])
    if len(fetched) == CHUNK * 8:
        return {}
    real = {file.path.casefold() for file in files}
    for row in fetched:
        if (by_inode and row.inode == 0) or not _is_gone(row, root, real):
            continue
        gone[_key(row.inode if by_inode else row.name, row.size_bytes)].append(row)
    return gone


def _is_gone(row: EpisodeFile, root: RootFolder, found: set[str]) -> bool:
    """Tell whether the row's place is empty. On a file system that ignores case, a case-only rename leaves the old name answering."""
    path = f"{row.root.path}/{row}"
    # One that came back is for this scan to find at its old place.
    if row.vanished_at is not None and not os.path.lexists(path):
        return True
    if row.root_id != root.pk and not row.root.is_online:
        return False
    try:
        os.lstat(path)
    except FileNotFoundError:
        # A root that is not mounted looks empty too; only one that holds something tells.
        return row.root_id == root.pk or _holds_something(row.root.path)
    except OSError:
        return False
    return (
        row.root_id == root.pk and str(row).casefold() in found and not _is_listed(path)
    )


def _is_listed(path: str) -> bool:
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder) as entries:
            return any(entry.name == name for entry in entries)
    except OSError:
        return False


def _holds_something(path: str) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _chunks(files: Sequence[FoundFile]) -> Iterator[list[FoundFile]]:
    iterator = iter(files)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
