"""Pages in a real browser: without scripts, on a phone, by keyboard, and renewed under one's hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.library.trees import write, write_season
from tests.running import PASSWORD, USER, RunningSite

PLACES = ("/", "/series/", "/series/echo/", "/scans/", "/unmatched/", "/roots/")
LIVE_MS = 20_000


@pytest.fixture(scope="module")
def held(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that was scanned, with a series and a folder that nobody can tell."""
    folder = tmp_path_factory.mktemp("library")
    write_season(folder, "Echo", episodes=30)
    write(folder, "Strange/clip.mkv")
    site.manage("add_root", str(folder), "--name", "Home")
    assert site.manage("scan", "--root", "Home").returncode == 0
    return folder


@pytest.mark.usefixtures("held")
def test_everything_works_without_scripts(browser: Browser, site: RunningSite):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/series/?q=echo")
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").click()
    page.get_by_role("button", name="Stop monitoring").click()
    expect(page.locator("#messages")).to_contain_text("no longer monitored")
    page.locator(".cell input").nth(4).check()
    page.get_by_role("button", name="Do not want").click()
    expect(page.locator("#messages")).to_contain_text("1 episode is now not wanted")
    page.goto(f"{site.url}/unmatched/")
    page.locator("input[name=files]").first.check()
    page.get_by_role("button", name="Ignore", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("1 file is ignored")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.context.close()


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_is_wider_than_the_screen(
    site: RunningSite, log_in: Callable[[RunningSite], Page], width: int
):
    page = log_in(site)
    page.set_viewport_size({"width": width, "height": 800})

    for place in PLACES:
        page.goto(f"{site.url}{place}")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, place


@pytest.mark.usefixtures("held")
def test_keys_lead_through_the_pages(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)

    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url(f"{site.url}/series/")
    page.locator(".card").first.wait_for()
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    page.keyboard.type("nothing like it")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    expect(page.locator("input[name=q]")).to_be_focused()
    page.locator("h1").focus()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_what_one_is_doing_survives_a_renewal(
    site: RunningSite, log_in: Callable[[RunningSite], Page], held: Path
):
    page = log_in(site)
    page.goto(f"{site.url}/series/echo/")
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )
    tick, why = page.locator(".cell input").nth(2), page.locator(".file details").first
    why.locator("summary").click()
    tick.check()
    write(held, "Echo/Season 01/Echo - S01E31.mkv")

    assert site.manage("scan", "--root", "Home").returncode == 0

    expect(page.locator(".grid .cell")).to_have_count(31, timeout=LIVE_MS)
    expect(tick).to_be_checked()
    expect(tick).to_be_focused()
    expect(why).to_have_attribute("open", "")


def test_chosen_colours_are_kept(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    toggle = page.get_by_role("button", name="Colours")

    toggle.click()
    toggle.click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
