"""A series' episodes as a list: each fetched, steered and trashed in its row, seen live."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.stages import (
    HOSTILE,
    LIVE_MS,
    SIZE,
    Stage,
    expect_live,
    expect_not_reloaded,
    hold,
)
from tests.running import RunningSite, until

ADD_SEASONS = """
from aniworld_site.library.models import Episode, Season, Series
series = Series.objects.get(key={key!r})
for number in (2, 3):
    season = Season.objects.create(series=series, number=number)
    Episode.objects.bulk_create(Episode(season=season, number=n) for n in range(1, 91))
"""


NOTE_COUNTS = """
    window.counts = [];
    new MutationObserver((changes) => {
      for (const {target} of changes) window.counts.push(target.dataset.ticked);
    }).observe(document, {subtree: true, attributeFilter: ["data-ticked"]});
"""


def get_row(page: Page, number: int, season: int = 1):
    tag = f"S{season:02}E{number:02}"
    return page.locator("#episode-rows .download", has_text=tag)


def press(page: Page, number: int, name: str) -> None:
    get_row(page, number).get_by_role("button", name=name, exact=True).click()


def open_list(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.site.url}/series/{stage.key}/")
    page.get_by_role("link", name="List").click()
    expect(page.locator("#episode-rows")).to_be_visible()
    expect_live(page)


def count_renewals(page: Page) -> list[str]:
    """Return a list that gets the address of each part that the page fetches from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if request.headers.get("hx-target") == "episode-rows":
            found.append(request.url)

    page.on("request", note)
    return found


def test_an_episode_is_fetched_and_trashed_in_its_row(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(3, bytes_per_s=100_000)
    page = log_in(stage.site)
    open_list(stage, page)
    row = get_row(page, 2)
    expect(row).to_contain_text(HOSTILE)
    expect(row).to_contain_text("missing")
    expect(row).to_contain_text(f"{stage.name} has it")

    press(page, 2, "Queue")

    expect(page.get_by_text("1 download joined the queue.")).to_be_visible()
    expect(row.locator(".state-active")).to_be_visible(timeout=LIVE_MS)
    expect(row.locator("[data-speed]")).to_have_text(
        re.compile(r"KiB/s"), timeout=LIVE_MS
    )
    expect(row.locator("[data-eta]")).to_have_text(re.compile(r"left"), timeout=LIVE_MS)
    until(lambda: row.locator("progress").evaluate("bar => bar.value") > 0)
    expect(row.locator(".state-there")).to_be_visible(timeout=LIVE_MS)
    expect(row).not_to_contain_text("missing")
    expect(page.locator(".series-counts")).to_contain_text("1 of 3", timeout=LIVE_MS)
    assert [path.stat().st_size for path in stage.list_files()] == [SIZE]

    press(page, 2, "Move to the trash")

    expect(page.get_by_text("1 file is in the trash.")).to_be_visible()
    expect(row.locator(".state-unwanted")).to_be_visible(timeout=LIVE_MS)
    assert stage.list_files() == []
    press(page, 2, "Want")
    expect(row.locator(".state-missing")).to_be_visible(timeout=LIVE_MS)
    assert page.locator("#episode-rows img").count() == 0
    expect_not_reloaded(page)


def test_what_another_does_is_seen_in_the_row_and_progress_fetches_nothing(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(2, bytes_per_s=20_000)
    page = log_in(stage.site)
    open_list(stage, page)

    stage.manage("queue", "add", stage.key, "S01E01")
    speed = get_row(page, 1).locator("[data-speed]")
    expect(speed).to_have_text(re.compile(r"KiB/s"), timeout=LIVE_MS)
    renewals = count_renewals(page)
    percent = get_row(page, 1).locator("[data-live-text=percent]")
    before = percent.inner_text()
    expect(percent).not_to_have_text(before, timeout=LIVE_MS)
    assert renewals == []

    press(page, 1, "Pause")
    expect(get_row(page, 1).locator(".state-paused")).to_be_visible(timeout=LIVE_MS)
    stage.manage("queue", "stop")
    press(page, 1, "Resume")
    expect(get_row(page, 1)).to_contain_text("The queue is stopped.", timeout=LIVE_MS)
    stage.manage("queue", "start")
    expect(get_row(page, 1).locator(".state-active")).to_be_visible(timeout=LIVE_MS)
    press(page, 1, "Cancel")
    expect(get_row(page, 1).locator(".state-cancelled")).to_be_visible(timeout=LIVE_MS)
    expect(get_row(page, 1)).to_be_focused()
    press(page, 1, "Try again")
    expect(get_row(page, 1).locator(".state-active")).to_be_visible(timeout=LIVE_MS)
    expect_not_reloaded(page)


def test_ticked_episodes_are_steered_together(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(3, bytes_per_s=20_000)
    stage.manage("queue", "stop")
    page = log_in(stage.site)
    open_list(stage, page)
    for number in (1, 3):
        get_row(page, number).get_by_role("checkbox").check()
    bulk = page.get_by_role("group", name="With the ticked episodes")
    expect(bulk).to_contain_text("2 episodes ticked")

    bulk.get_by_role("button", name="Do not want").click()

    unwanted = page.locator("#episode-rows .state-unwanted")
    expect(unwanted).to_have_count(2, timeout=LIVE_MS)
    expect(bulk).to_be_hidden()
    # What is ticked is nothing to another row's button.
    get_row(page, 1).get_by_role("checkbox").check()
    press(page, 2, "Queue")
    expect(page.locator("#episode-rows .state-queued")).to_have_count(1)
    expect(get_row(page, 2)).to_contain_text("queued")
    get_row(page, 3).get_by_role("checkbox").check()
    bulk.get_by_role("button", name="Queue").click()
    expect(page.locator("#episode-rows .state-queued")).to_have_count(3)
    expect_not_reloaded(page)


def test_what_is_ticked_while_an_answer_is_on_its_way_stays_ticked(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(3)
    page = log_in(stage.site)
    open_list(stage, page)
    page.evaluate(NOTE_COUNTS)
    wanted, queued = hold(page, "**/wanted/"), hold(page, "**/queue/")
    get_row(page, 1).get_by_role("checkbox").check()
    bulk = page.get_by_role("group", name="With the ticked episodes")

    with page.expect_request("**/wanted/"):
        bulk.get_by_role("button", name="Do not want").click()
    get_row(page, 2).get_by_role("checkbox").check()
    stage.manage("queue", "add", stage.key, "S01E03")
    expect(get_row(page, 3)).not_to_contain_text("missing", timeout=LIVE_MS)
    expect(bulk).to_contain_text("2 episodes ticked")
    wanted[0].continue_()

    expect(get_row(page, 1).locator(".state-unwanted")).to_be_visible(timeout=LIVE_MS)
    expect(bulk).to_contain_text("1 episode ticked")
    expect(get_row(page, 1).get_by_role("checkbox")).not_to_be_checked()
    expect(get_row(page, 2).get_by_role("checkbox")).to_be_checked()
    # The bar that says so did not go away in between, for a moment either.
    assert "0" not in page.evaluate("window.counts")
    # Nor does it matter that the button is gone when its answer comes.
    with page.expect_request("**/queue/"):
        press(page, 2, "Queue")
    stage.manage("queue", "add", stage.key, "S01E02")
    expect(get_row(page, 2)).not_to_contain_text("missing", timeout=LIVE_MS)
    queued[0].continue_()
    expect(page.locator("#messages")).to_contain_text("Nothing was added")
    expect(get_row(page, 2).get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#episode-rows")).to_have_count(1)


def test_a_season_that_is_unfolded_stays_so_when_the_list_is_renewed(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(1, bytes_per_s=0)
    stage.manage("shell", "-v", "0", "-c", ADD_SEASONS.format(key=stage.key))
    page = log_in(stage.site)
    open_list(stage, page)
    second, third = page.locator("#season-2"), page.locator("#season-3")
    expect(third.locator(".download")).to_have_count(0)

    third.locator("summary").click()
    expect(third.locator(".download")).to_have_count(90, timeout=LIVE_MS)
    press(page, 1, "Queue")

    expect(get_row(page, 1).locator(".state-there")).to_be_visible(timeout=LIVE_MS)
    expect(third.locator(".download")).to_have_count(90, timeout=LIVE_MS)
    expect(third).to_have_attribute("open", "")
    expect(second.locator(".download")).to_have_count(0)
    expect_not_reloaded(page)


def test_a_season_is_unfolded_while_the_list_is_renewed(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(1, bytes_per_s=0)
    stage.manage("shell", "-v", "0", "-c", ADD_SEASONS.format(key=stage.key))
    page = log_in(stage.site)
    open_list(stage, page)
    renewals: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if renewals or route.request.headers.get("hx-target") != "episode-rows":
            route.continue_()
        else:
            renewals.append(route)

    page.route("**/episodes/*", hold_the_first)
    stage.manage("queue", "stop")
    # Requests are heard of while the page is asked something.
    until(lambda: page.title() and renewals, what="a renewal that is held")

    third = page.locator("#season-3")
    third.locator("summary").click()
    expect(third).to_have_attribute("open", "")
    renewals[0].continue_()

    # What was asked for before comes before: it does not know of the season.
    expect(third.locator(".download")).to_have_count(90, timeout=LIVE_MS)
    expect_not_reloaded(page)
