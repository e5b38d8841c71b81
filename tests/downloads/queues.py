"""A library with a root folder on disk, and a source that offers its episodes, for tests of the queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.models import Download, Queue, Source, SourceEpisode
from aniworld_site.downloads.services import queue_episodes
from aniworld_site.downloads.transitions import Claim, claim_next
from aniworld_site.library.models import Episode, RootFolder, Series
from tests.downloads.factories import make_listed, make_source
from tests.downloads.media import Video, make_video, put_video
from tests.downloads.sources import BadSource
from tests.factories import make_root, make_season, make_series

BY = "keeper"


@dataclass
class Shelf:
    """One series whose episodes a source has."""

    server: BadSource
    root: RootFolder
    source: Source
    series: Series
    videos: list[Video] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return Path(self.root.path)

    def add(self, size: int = 100_000, **fields: Any) -> Episode:
        """Add an episode that is missing and can be had; fields of the offer, or of the video with `video=`."""
        number = len(self.episodes) + 1
        video = put_video(
            self.server,
            f"/{number}.mkv",
            make_video(size, seed=number),
            **fields.pop("video", {}),
        )
        episode = Episode.objects.create(
            season=self.series.seasons.get(), number=number, title=f"Part {number}"
        )
        fields.setdefault("size_bytes", size)
        fields.setdefault("url", f"{self.server.url}/{number}.mkv")
        SourceEpisode.objects.create(
            listed=self.source.listed.get(),
            key=f"e{number}",
            title=episode.title,
            episode=episode,
            **fields,
        )
        self.videos.append(video)
        self.episodes.append(episode)
        return episode

    def queue(self, *episodes: Episode) -> list[Download]:
        queued = queue_episodes(episodes or self.episodes, by=BY)
        return list(queued.downloads)

    def list_files(self) -> list[str]:
        """Return what is in the library, hidden folders left out."""
        return sorted(
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if path.is_file() and ".aniworld" not in path.parts
        )


def make_shelf(server: BadSource, folder: Path, **fields: Any) -> Shelf:
    """Make a root folder, a series in it, and a source that lists it; fields of the source."""
    folder.mkdir(exist_ok=True)
    root = make_root(path=str(folder))
    series = make_series(title="Night Show", key="night-show", year=2013)
    make_season(series)
    fields.setdefault("concurrency", 4)
    source = make_source(**fields)
    make_listed(source, series=series)
    Queue.objects.update_or_create(pk=1, defaults={"floor_mib": 0})
    return Shelf(server=server, root=root, source=source, series=series)


def claim() -> Claim:
    """Take up what is next."""
    claimed = claim_next(Dispatcher()._measure())
    assert claimed is not None
    return claimed


def work(
    dispatcher: Dispatcher, *, until: Callable[[], bool], timeout_s: float = 30
) -> None:
    """Let a dispatcher look at the queue until something is so."""
    deadline = time.monotonic() + timeout_s
    while not until():
        if time.monotonic() > deadline:
            states = list(Download.objects.values_list("pk", "state", "reason"))
            raise AssertionError(f"Waited {timeout_s} s in vain: {states}")
        dispatcher.look()
        time.sleep(0.02)


def work_all(dispatcher: Dispatcher) -> None:
    """Let a dispatcher bring everything to its end, and tell it."""
    work(dispatcher, until=has_ended)
    # A row says that it is done before everybody is told.
    dispatcher.give_back()


def has_ended() -> bool:
    return not Download.objects.live().exists()
