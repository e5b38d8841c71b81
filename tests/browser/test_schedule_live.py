"""The schedule live: what one person has run, another sees run."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.running import RunningSite

LIVE_MS = 20_000


def test_a_task_that_one_person_has_run_shows_to_another(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    first, second = log_in(site), log_in(site)
    first.keyboard.press("g")
    first.keyboard.press("t")
    expect(first).to_have_url(f"{site.url}/schedule/")
    second.goto(f"{site.url}/schedule/")
    for page in (first, second):
        expect(page.locator("[data-live-status]")).to_have_attribute(
            "data-state", "live", timeout=LIVE_MS
        )
    seen = second.locator("#task-scan-roots")
    expect(seen).to_contain_text("not known")

    first.get_by_role("button", name="Run now: Scan root folders").click()

    expect(seen).to_contain_text("well", timeout=LIVE_MS)
    expect(first.locator("#messages")).to_contain_text("a worker does it now")
