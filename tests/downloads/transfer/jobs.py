"""Jobs for tests of what one child does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aniworld_site.downloads.transfer.connections import Target
from aniworld_site.downloads.transfer.fetching import Fetched, Job, Progress, fetch
from aniworld_site.downloads.transfer.pacing import Pacer

EXTENSIONS = frozenset({".mkv", ".mp4", ".webm"})


class Fetcher:
    """Fetches one address into one partial file, again and again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.path = folder / "partial" / "1.part"
        self.target: dict[str, Any] = {"url": url, "private_hosts": ["127.0.0.1"]}
        self.told: list[Progress] = []

    def fetch(self, *, pacer: Pacer | None = None, **fields: Any) -> Fetched:
        job = Job(
            target=Target(**self.target),
            path=self.path,
            **{"extensions": EXTENSIONS, **fields},
        )
        self.told = []
        return fetch(job, pacer or Pacer(), self.told.append)

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()
