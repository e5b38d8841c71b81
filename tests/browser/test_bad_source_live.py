"""A source that does everything wrong, as a person sees it: each row says why it waits or failed, and only whole files arrive."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stages import (
    LIVE_MS,
    SIZE,
    Stage,
    expect_live,
    expect_not_reloaded,
)
from tests.downloads.media import make_video
from tests.downloads.sources import endless, redirect
from tests.running import RunningSite

NO_RANGE, SHORTER, CHANGED, SHIFTED, THROTTLED, DRIPPING = range(1, 7)
PRIVATE, ENDLESS, LYING, DAMAGED, ABSENT = range(7, 12)
WAITING = {
    NO_RANGE: "ended after",
    CHANGED: "ended after",
    SHIFTED: "ended after",
    DAMAGED: "another checksum",
}
FAILED = {
    SHORTER: "it is not the same file",
    PRIVATE: "on this machine or its own network",
    ENDLESS: f"sends more than the {SIZE} bytes",
    LYING: "Expected a video",
    ABSENT: "has nothing at this address (404",
}
ARRIVE = (NO_RANGE, CHANGED, SHIFTED, THROTTLED, DRIPPING)


def misbehave(stage: Stage) -> None:
    """Have each of the videos sent badly in a way of its own."""
    videos = dict(enumerate(stage.videos, 1))
    for number in (NO_RANGE, CHANGED, SHIFTED):
        videos[number].cut_after = SIZE // 2
    videos[NO_RANGE].has_ranges = False
    # Another version lies there as soon as the first is on its way.
    videos[CHANGED].hold = lambda: setattr(videos[CHANGED], "etag", '"2"')
    videos[SHIFTED].range_shift = 7
    videos[SHORTER].content = make_video(SIZE - 1000)
    videos[THROTTLED].refuses = [(429, {"Retry_After": "3"})]
    videos[DRIPPING].bytes_per_s = 100_000
    videos[LYING].type = "text/html"
    videos[DAMAGED].content = make_video(SIZE, seed=999)
    videos[ABSENT].refuses = [(404, {})]
    there = f"http://localhost:{stage.server.port}/canary"
    stage.server.behave(f"/{stage.key}/{PRIVATE}.mkv", redirect(there))
    stage.server.behave(f"/{stage.key}/{ENDLESS}.mkv", endless)


def get_row(page: Page, part: str, number: int) -> Locator:
    return page.locator(f"#{part} .download", has_text=f"S01E{number:02}")


# Which server carries the pages is of no matter here, and one of them takes half the time.
@pytest.mark.parametrize("site", ["daphne"], indirect=True, scope="module")
def test_a_bad_source_is_told_of_row_by_row_and_only_whole_files_arrive(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(ABSENT, bytes_per_s=0)
    misbehave(stage)
    page = log_in(stage.site)
    page.goto(f"{stage.site.url}/queue/")
    expect_live(page)

    stage.manage("queue", "add", stage.key, "--missing")
    expect(get_row(page, "queue-rows", THROTTLED)).to_contain_text(
        "is asked too often", timeout=LIVE_MS
    )
    for number, reason in WAITING.items():
        row = get_row(page, "queue-rows", number)
        expect(row).to_contain_text(reason, timeout=LIVE_MS)
        expect(row).to_contain_text(re.compile(r"Again at \d\d:\d\d"))
    for number, reason in FAILED.items():
        row = get_row(page, "queue-ended", number)
        expect(row).to_contain_text(reason, timeout=LIVE_MS)
    # Those that were cut go on by themselves.
    for number in ARRIVE:
        row = get_row(page, "queue-ended", number)
        expect(row.locator(".state-done")).to_be_visible(timeout=LIVE_MS)
    expect_not_reloaded(page)
    contents = {path.read_bytes() for path in stage.list_files()}
    assert contents == {stage.videos[number - 1].content for number in ARRIVE}
    assert len(stage.list_files()) == len(ARRIVE)
    assert "/canary" not in {path for path, _headers in stage.server.requests}
