"""A root folder on disk with one series, for tests of what is done to files."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from aniworld_site.library import files
from aniworld_site.library.journal import (
    carry_out,
    plan_import,
    plan_move,
    plan_restore,
    plan_trash,
)
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    FileOperation,
    RootFolder,
)
from tests.factories import make_episode, make_root, make_season, make_series

BY = "keeper"
CONTENT = b"what the file holds"
PLACE = "Dark/Season 01/Dark - S01E01.mkv"


@dataclass(frozen=True)
class Shelf:
    root: RootFolder
    episode: Episode

    @property
    def path(self) -> Path:
        return Path(self.root.path)

    def write(self, name: str, content: bytes = CONTENT) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def plan_import(
        self, place: str = PLACE, content: bytes = CONTENT
    ) -> FileOperation:
        part = self.write(".aniworld/partial/1.part", content)
        return plan_import(
            part, episode=self.episode, root=self.root, relative=place, by=BY
        )

    def bring(self, place: str = PLACE, content: bytes = CONTENT) -> FileOperation:
        return carry_out(self.plan_import(place, content))

    def move(self, relative: str) -> FileOperation:
        return carry_out(plan_move(self.file, relative, by=BY))

    def trash(self) -> FileOperation:
        return carry_out(plan_trash(self.file, by=BY))

    def plan(self, does: str) -> FileOperation:
        """Plan an operation of that kind; but for an import with the episode's file in place, or in the trash."""
        if does == FileOperation.Kind.IMPORT:
            return self.plan_import()
        self.bring()
        if does == FileOperation.Kind.MOVE:
            return plan_move(self.file, "Other/1.mkv", by=BY)
        if does == FileOperation.Kind.TRASH:
            return plan_trash(self.file, by=BY)
        return plan_restore(self.trash(), by=BY)

    @property
    def file(self) -> EpisodeFile:
        return EpisodeFile.objects.get(root=self.root)

    def list_files(self) -> dict[str, bytes]:
        """Return everything that is below the root, hidden or not, with its content; but the locks, of which a dead process leaves one that nobody holds."""
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file() and not path.is_symlink() and path.parent.name != "locks"
        }


def make_shelf(folder: Path) -> Shelf:
    folder.mkdir(parents=True, exist_ok=True)
    season = make_season(make_series(title="Dark"))
    return Shelf(make_root(path=str(folder)), make_episode(season, number=1))


def put_on_another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each folder on a file system of its own."""
    rename = files._rename_exclusively

    def rename_in_a_folder(source: str, target: str) -> None:
        if os.path.dirname(source) != os.path.dirname(target):  # noqa: PTH120
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target)

    monkeypatch.setattr(files, "_rename_exclusively", rename_in_a_folder)
