"""The queue as a person sees it: from a source to files in the library, steered while it runs, without a reload."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.stages import (
    LIVE_MS,
    Stage,
    expect_live,
    expect_not_reloaded,
    hold,
)
from tests.running import RunningSite, until


def get_row(page: Page, number: int):
    return page.locator("#queue-rows .download", has_text=f"S01E{number:02}")


def read_order(page: Page) -> list[str]:
    return [
        re.search(r"S01E(\d+)", text)[1]  # type: ignore[index]  # Each row has one.
        for text in page.locator("#queue-rows .download-title").all_inner_texts()
    ]


def test_what_is_missing_is_queued_and_arrives_live(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(3, bytes_per_s=200_000)
    queue, shelf, page = log_in(stage.site), log_in(stage.site), log_in(stage.site)
    queue.goto(f"{stage.site.url}/queue/")
    shelf.goto(f"{stage.site.url}/series/{stage.key}/")
    page.goto(f"{stage.site.url}/missing/?q={stage.key}")
    for each in (queue, shelf):
        expect_live(each)
    expect(queue.get_by_text("The queue is empty")).to_be_visible()

    page.get_by_role("button", name="Queue all that is found").click()

    expect(page.get_by_text("3 downloads joined the queue.")).to_be_visible()
    running = queue.locator("#queue-rows .download-active")
    expect(running).to_have_count(1, timeout=LIVE_MS)
    expect(running.locator("[data-speed]")).to_have_text(
        re.compile(r"\d KiB/s"), timeout=LIVE_MS
    )
    expect(queue.locator("[data-total-speed]")).to_have_text(re.compile(r"KiB/s"))
    expect(queue.get_by_text("The queue is empty")).to_be_visible(timeout=LIVE_MS)
    expect(queue.locator("#queue-ended .state-done")).to_have_count(3, timeout=LIVE_MS)
    expect(shelf.locator(".series-counts")).to_contain_text("3 of 3", timeout=LIVE_MS)
    expect(queue.locator("#queue-badge")).to_be_empty()
    for each in (queue, shelf):
        expect_not_reloaded(each)
    contents = {path.read_bytes() for path in stage.list_files()}
    assert contents == {video.content for video in stage.videos}


def test_a_row_is_paused_and_goes_on_where_it_was(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(5, bytes_per_s=20_000)
    stage.manage("queue", "add", stage.key, "--missing")
    page = log_in(stage.site)
    page.goto(f"{stage.site.url}/queue/")
    expect_live(page)
    expect(get_row(page, 1)).to_have_class(
        re.compile("download-active"), timeout=LIVE_MS
    )
    expect(get_row(page, 1).locator("[data-speed]")).not_to_be_empty(timeout=LIVE_MS)

    get_row(page, 1).get_by_role("button", name="Pause").click()
    expect(get_row(page, 1)).to_have_class(
        re.compile("download-paused"), timeout=LIVE_MS
    )
    expect(get_row(page, 2)).to_have_class(
        re.compile("download-active"), timeout=LIVE_MS
    )
    # Not on what stands in its place now: "Start now".
    resume = get_row(page, 1).get_by_role("button", name="Resume")
    expect(resume).to_be_focused()
    requests = len(stage.videos[0].requests)
    resume.click()
    expect(get_row(page, 1)).not_to_have_class(re.compile("paused"), timeout=LIVE_MS)

    expect_not_reloaded(page)
    # The second has its turn first.
    until(
        lambda: len(stage.videos[0].requests) > 1,
        timeout_s=90,
        what="the rest to be asked for",
    )
    assert requests == 1
    assert stage.videos[0].requests[1].startswith("bytes=")


def test_rows_are_moved_by_button_key_and_mouse_and_cancelled_together(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(5, bytes_per_s=20_000)
    stage.manage("queue", "add", stage.key, "--missing")
    page = log_in(stage.site)
    page.goto(f"{stage.site.url}/queue/")
    expect_live(page)
    expect(get_row(page, 1)).to_have_class(
        re.compile("download-active"), timeout=LIVE_MS
    )

    get_row(page, 5).get_by_role("button", name="To the top").click()
    until(lambda: read_order(page)[:2] == ["01", "05"], what="the fifth to be next")
    get_row(page, 4).locator("[data-grip]").focus()
    page.keyboard.press("Alt+ArrowUp")
    until(lambda: read_order(page).index("04") < read_order(page).index("03"))
    held = hold(page, "**/queue/do/", times=1)
    with page.expect_request("**/queue/do/"):
        get_row(page, 2).get_by_role("button", name="Pause").click()
    # What is pressed before the answer is neither lost nor done twice: once more, "Resume" would be there.
    for number in (2, 3, 5):
        get_row(page, number).get_by_role("button", name="Pause").click()
    held[0].continue_()
    expect(page.locator("#queue-rows .download-paused")).to_have_count(
        3, timeout=LIVE_MS
    )
    get_row(page, 3).drag_to(get_row(page, 5))
    until(lambda: read_order(page).index("03") < read_order(page).index("05"))

    get_row(page, 3).get_by_role("checkbox").check()
    get_row(page, 4).get_by_role("checkbox").check()
    expect(page.get_by_text("2 downloads ticked")).to_be_visible()
    page.get_by_role("button", name="Cancel and delete").click()
    expect(get_row(page, 3)).to_have_count(0, timeout=LIVE_MS)
    expect(get_row(page, 4)).to_have_count(0)
    expect(page.locator("#queue-ended .state-cancelled")).to_have_count(2)
    assert page.locator("#queue-rows img").count() == 0
    expect_not_reloaded(page)


def test_the_queue_is_stopped_by_one_and_seen_by_another(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(2, bytes_per_s=20_000)
    stage.manage("queue", "add", stage.key, "--missing")
    first, second = log_in(stage.site), log_in(stage.site)
    for page in (first, second):
        page.goto(f"{stage.site.url}/queue/")
        expect_live(page)
    expect(second.locator(".download-active")).to_have_count(1, timeout=LIVE_MS)

    # What is in one's hand is not renewed under it, and is when it is let go.
    get_row(second, 2).hover()
    second.mouse.down()
    second.mouse.move(0, 0, steps=3)
    expect(second.locator(".download-dragged")).to_have_count(1)
    first.get_by_role("button", name="Stop", exact=True).click()
    counted = second.locator(".queue-counts [data-live-text=active]")
    expect(counted).to_have_text("0", timeout=LIVE_MS)
    second.mouse.up()

    head = second.locator("#queue-head")
    expect(head.locator(".state-queue-stopped")).to_be_visible(timeout=LIVE_MS)
    expect(second.locator(".download-active")).to_have_count(0, timeout=LIVE_MS)
    expect(get_row(second, 1)).to_contain_text("The queue is stopped.")
    expect(first.locator("#queue-head")).to_be_focused()
    first.get_by_role("button", name="Start", exact=True).click()
    expect(second.locator(".download-active")).to_have_count(1, timeout=LIVE_MS)
    first.get_by_label("For how long").select_option("5")
    first.get_by_role("button", name="Pause", exact=True).first.click()
    expect(head.locator(".state-queue-paused")).to_be_visible(timeout=LIVE_MS)
    expect(head).to_contain_text("until")
    for page in (first, second):
        expect_not_reloaded(page)


def test_an_import_is_undone_from_the_history(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.add(1, bytes_per_s=0)
    stage.manage("queue", "add", stage.key, "--missing")
    until(lambda: len(stage.list_files()) == 1, what="the file")
    page = log_in(stage.site)
    page.goto(f"{stage.site.url}/history/?series={stage.key}")
    row = page.locator("tr", has_text="import")
    expect(row.locator(".state-done")).to_be_visible(timeout=LIVE_MS)

    row.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("The import is undone.")).to_be_visible()
    assert stage.list_files() == []
    trashed = page.locator("tr", has_text="trash")
    trashed.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("The trash is undone.")).to_be_visible()
    assert len(stage.list_files()) == 1


def test_a_source_is_tested_added_and_its_series_taken(
    stage: Stage, log_in: Callable[[RunningSite], Page]
):
    stage.folder.mkdir()
    stage.manage("add_root", str(stage.folder))
    url = stage.publish(2, bytes_per_s=0)
    page = log_in(stage.site)
    page.goto(f"{stage.site.url}/sources/")
    form = page.locator("#source-add")
    form.get_by_label("Address of a feed").fill(url)

    form.get_by_role("button", name="Test").click()
    expect(page.get_by_text("on this machine or its own network")).to_be_visible()
    form.get_by_label("on my own network").check()
    form.get_by_role("button", name="Test").click()
    expect(page.locator("#source-found")).to_contain_text(stage.title)
    form.get_by_label("Name").first.fill(stage.name)
    form.get_by_role("button", name="Add").click()
    expect(page.locator("#source-rows")).to_contain_text(stage.name)
    page.goto(f"{stage.site.url}/add/?q={stage.key}")
    page.get_by_role("button", name="Add and queue all").click()

    expect(page.locator("h1")).to_contain_text(stage.title)
    expect(page.locator(".series-counts")).to_contain_text("2 of 2", timeout=LIVE_MS)
