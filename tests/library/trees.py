"""Folders of videos on disk, and scans of them."""

from __future__ import annotations

import os
from pathlib import Path

from aniworld_site.library.models import EpisodeFile, RootFolder, Scan
from aniworld_site.library.scanner import run_scan
from aniworld_site.library.transitions import ScanRequest, claim_scan, open_scan


def write(root: Path, *names: str, size: int = 0) -> None:
    """Write videos, each of another size unless one is given, so that none is taken for another."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            b"x" * (size or 1000 + sum(name.encode(errors="surrogateescape")))
        )


def write_season(root: Path, series: str, season: int = 1, episodes: int = 10) -> None:
    write(
        root,
        *(
            f"{series}/Season {season:02}/{series} - S{season:02}E{number:02}.mkv"
            for number in range(1, episodes + 1)
        ),
    )


def add(root: Path, name: str = "Series") -> RootFolder:
    return RootFolder.objects.create(path=os.fsdecode(root), name=name)


def scan(root: RootFolder, **wishes: object) -> Scan:
    """Scan and return the row as it ended."""
    request, _is_new = open_scan(ScanRequest(root=root, by="tests", **wishes))  # type: ignore[arg-type]
    assert claim_scan(request)
    run_scan(request)
    request.refresh_from_db()
    root.refresh_from_db()
    return request


def counts(ended: Scan) -> dict[str, int]:
    """Return what a scan changed, without the zeros."""
    found = {
        name: getattr(ended, name)
        for name in ("added", "updated", "moved", "vanished", "held", "unmatched")
    }
    return {name: number for name, number in found.items() if number}


def numbers(file: EpisodeFile) -> list[str]:
    return sorted(str(episode) for episode in file.episodes.select_related("season"))


def at(path: str) -> EpisodeFile:
    folder, _, name = path.rpartition("/")
    return EpisodeFile.objects.get(folder=folder, name=name)
