"""Reading a root folder's tree: which videos are there, and what could not be read. No database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from aniworld_site.library.files import OWN_FOLDER
from aniworld_site.library.naming import VIDEO_EXTENSIONS, is_ignored_folder, printable

NFO_NAME = "tvshow.nfo"
MARKERS = frozenset({".ignore", ".nomedia"})
SIGN_BIT = 1 << 63


class FoundFile(NamedTuple):
    """A video as the file system shows it. Names are as `os.fsdecode` gives them, so undecodable bytes are lone surrogates."""

    folder: str
    name: str
    size_bytes: int
    mtime_ns: int
    inode: int

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(slots=True)
class Listing:
    """One folder that was read, with the videos directly in it."""

    folder: str
    """Relative to the root, "" for the root itself."""
    files: list[FoundFile] = field(default_factory=list)
    nfo_mtime_ns: int | None = None
    """Of its tvshow.nfo; `None` without one."""


@dataclass(slots=True)
class Walk:
    """Reads a tree, and collects on the way what could not be read.

    A link to a folder inside the root is not followed, since its content is found at its own place; one that leads out
    is followed once, so that loops end.
    """

    root: str
    on_folder: Callable[[str], None] = lambda _folder: None
    """Called before each folder is read, with its path relative to the root; may raise to stop the walk."""
    unread: list[str] = field(default_factory=list)
    """Folders that could not be read: what is below them is unknown, not gone."""
    unread_files: set[str] = field(default_factory=set)
    """Files that are there and could not be looked at."""
    problems: list[str] = field(default_factory=list)
    """A sentence for each thing that could not be read."""
    _followed: set[str] = field(default_factory=set)

    def listings(self, start: str = "") -> Iterator[Listing]:
        """Yield each folder at and below `start`, in the order of their names, parents first.

        Raises:
            OSError: The first folder itself cannot be read.
        """
        pending = [start]
        while pending:
            folder = pending.pop()
            self.on_folder(folder)
            try:
                listing, children = self._read(folder)
            except OSError as error:
                if folder == start:
                    raise
                self._report(folder, error)
                self.unread.append(folder)
                continue
            if listing is not None:
                yield listing
                pending.extend(sorted(children, reverse=True))

    def _read(self, folder: str) -> tuple[Listing | None, list[str]]:
        listing, children, prefix = Listing(folder), [], f"{folder}/" if folder else ""
        with os.scandir(f"{self.root}/{folder}") as entries:
            for entry in entries:
                name = entry.name
                if name in MARKERS and folder:
                    return None, []
                try:
                    if is_video_name(name):
                        self._add_file(listing, entry)
                    elif name == NFO_NAME:
                        listing.nfo_mtime_ns = entry.stat().st_mtime_ns
                    elif (
                        entry.is_dir()
                        and not is_ignored_folder(name)
                        and self._may_enter(entry)
                    ):
                        children.append(f"{prefix}{name}")
                except FileNotFoundError:
                    continue  # It vanished between being listed and being looked at, or is a link that leads nowhere.
                except OSError as error:
                    self.unread_files.add(f"{prefix}{name}")
                    self._report(f"{prefix}{name}", error)
        listing.files.sort()
        return listing, children

    def _add_file(self, listing: Listing, entry: os.DirEntry[str]) -> None:
        if not entry.is_file():
            return
        stat = entry.stat()
        inode = stat.st_ino if stat.st_ino < SIGN_BIT else stat.st_ino - 2 * SIGN_BIT
        listing.files.append(
            FoundFile(listing.folder, entry.name, stat.st_size, stat.st_mtime_ns, inode)
        )

    def _may_enter(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink():
            return True
        real, root = os.path.realpath(entry.path), os.path.realpath(self.root)
        if (
            Path(real).is_relative_to(root)
            or Path(root).is_relative_to(real)
            or real in self._followed
        ):
            return False
        self._followed.add(real)
        return True

    def _report(self, path: str, error: OSError) -> None:
        self.problems.append(
            f"{path or 'The folder'} could not be read: {error.strerror or error}."
        )


def is_video_name(name: str) -> bool:
    """Tell whether the name ends like a video's; quicker than splitting it, since most entries of a library are asked."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in VIDEO_EXTENSIONS


def count_videos(root: str, *, on_folder: Callable[[str], None]) -> int:
    """Count the videos below `root` by name alone: nothing is looked at, so that a first scan knows its total early."""
    total, pending = 0, [root]
    while pending:
        path = pending.pop()
        on_folder(path)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if is_video_name(entry.name):
                        total += 1
                    elif entry.is_dir(follow_symlinks=False) and not is_ignored_folder(
                        entry.name
                    ):
                        pending.append(entry.path)
        except OSError:
            continue
    return total


def offline_reason(path: str, *, holds_files: bool) -> str:
    """Return why nothing may be concluded from this folder, as a sentence; "" when it can be read."""
    try:
        with os.scandir(path) as entries:
            # What was made by this site may stand where a disk is not mounted, too.
            is_empty = all(entry.name == OWN_FOLDER for entry in entries)
    except OSError as error:
        return f"{printable(path)} cannot be read: {error.strerror or error}. Is its disk connected?"
    if is_empty and holds_files:
        return f"{printable(path)} is empty, although files were there. Is its disk mounted?"
    return ""
