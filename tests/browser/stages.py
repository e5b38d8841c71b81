"""What the tests of the queue in a browser start from: a series that a source has, and pages that are not to be reloaded."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.downloads.factories import catalogue, episode, series
from tests.downloads.media import Video, make_video, put_video, sha256
from tests.downloads.sources import BadSource
from tests.running import RunningSite

LIVE_MS = 20_000
HOSTILE = "<img src=x onerror=alert(1)>"
SIZE = 400_000


class Stage:
    """A source with one series of some episodes, and a root folder of its own on the site."""

    def __init__(self, site: RunningSite, server: BadSource, folder: Path) -> None:
        self.site, self.server, self.folder = site, server, folder
        self.name = folder.name
        self.key = f"show-{abs(hash(str(folder))) % 10**8}"
        self.title = f"Show {self.key}"
        self.videos: list[Video] = []

    def publish(self, count: int, *, bytes_per_s: int) -> str:
        """Put episodes on the server and return the catalogue's address."""
        listed = []
        for number in range(1, count + 1):
            content = make_video(SIZE, seed=number)
            path = f"/{self.key}/{number}.mkv"
            video = put_video(self.server, path, content, bytes_per_s=bytes_per_s)
            self.videos.append(video)
            listed.append(
                episode(
                    number,
                    url=path,
                    size_bytes=len(content),
                    checksum=sha256(content),
                    title=HOSTILE if number == 2 else f"Part {number}",
                )
            )
        found = series(self.key, *listed, title=self.title)
        return self.server.put(f"/{self.key}.json", catalogue(found))

    def manage(self, *arguments: str) -> str:
        done = self.site.manage(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, count: int, *, bytes_per_s: int = 100_000) -> None:
        """Have the series in the library, with all of it missing."""
        self.folder.mkdir()
        self.manage("add_root", str(self.folder))
        url = self.publish(count, bytes_per_s=bytes_per_s)
        self.manage("add_source", url, "--private", "--name", self.name)
        self.manage("add_listed", self.name, self.key)

    def list_files(self) -> list[Path]:
        return sorted(
            path for path in self.folder.rglob("*.mkv") if ".aniworld" not in path.parts
        )


def expect_live(page: Page) -> None:
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )
    # A button that is pressed before works without a script, and takes the page along.
    page.wait_for_load_state()
    page.evaluate("window.wasNotReloaded = true")


def expect_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.wasNotReloaded") is True


def hold(page: Page, place: str, *, times: int | None = None) -> list[Route]:
    """Keep requests on their way; the list gets each, and `continue_()` lets it go."""
    held: list[Route] = []
    # Playwright marks its handlers, which a list's own method cannot be.
    page.route(place, lambda route: held.append(route), times=times)
    return held
