"""Pages in a real browser: without scripts, on a phone, by keyboard, and renewed under one's hands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.stages import hold
from tests.library.trees import write, write_season
from tests.running import PASSWORD, USER, RunningSite

PLACES = (
    "/",
    "/series/",
    "/series/echo/",
    "/series/echo/episodes/",
    "/scans/",
    "/unmatched/",
    "/roots/",
    "/queue/",
    "/missing/",
    "/sources/",
    "/add/",
    "/history/",
)
LIVE_MS = 20_000
ROOT = "AHomeWithoutASpace" * 4
ENDLESS, RIGHT_TO_LEFT = "Endless" * 30, "مسلسل الصحراء الكبرى والنجوم البعيدة"

# A box with a label around it is as large as that; what only screen readers see is 1 pixel wide.
SMALL_TARGETS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
  .map((element) => element.matches("[type=checkbox]") ? element.closest("label") ?? element : element)
  .filter((element) => element.checkVisibility())
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, {width, height}]) => width > 1 && (width < 24 || height < 24))
  .map(([name, {width, height}]) => `${name}: ${width} x ${height}`)"""

# Long words everywhere, and one of each that a page may show.
DOWNLOADS = """
from datetime import timedelta
from django.utils import timezone
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.services import queue_episodes, stop_queue
from aniworld_site.library.models import Episode, FileOperation, RootFolder, Series
from tests.downloads.factories import make_listed, make_offer, make_source

stop_queue(by="U" * 100)
series = Series.objects.get(title__startswith="Endless")
source = make_source(name="S" * 80, url="https://" + "s" * 60 + ".example/" + "p" * 200, error="E" * 300, problems=["P" * 300])
listed = make_listed(source, series=series, title="L" * 200)
make_listed(source, title="M" * 200)
episodes = list(Episode.objects.filter(season__series=series))
for episode in episodes:
    make_offer(listed, episode=episode, url="https://a.example/1.mkv", title="T" * 200, review="R" * 200)
queue_episodes(episodes, by="U" * 100)
first, second = Download.objects.order_by("pk")[:2]
Download.objects.filter(pk=first.pk).update(state="failed", reason="F" * 400, finished_at=timezone.now())
Download.objects.filter(pk=second.pk).update(state="waiting", wait="host", reason="W" * 400, due_at=timezone.now() + timedelta(hours=1))
Episode.objects.create(season=episodes[0].season, number=99, title="N" * 200)
FileOperation.objects.create(kind="import", state="done", root=RootFolder.objects.get(), series=series, label="O" * 200, source="/" + "a" * 300, target="/" + "b" * 300, inode=1, size_bytes=1, by="U" * 100)
"""


@pytest.fixture(scope="module")
def held(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that was scanned, with series, two of an awkward name, and a folder that nobody can tell."""
    folder = tmp_path_factory.mktemp("library")
    write_season(folder, "Echo", episodes=30)
    write_season(folder, ENDLESS, episodes=3)
    write_season(folder, RIGHT_TO_LEFT, episodes=3)
    write(folder, "Strange/clip.mkv")
    write(folder, f"Strange/{'w' * 250}.mkv")
    site.manage("add_root", str(folder), "--name", ROOT)
    assert site.manage("scan", "--root", ROOT).returncode == 0
    filled = site.manage("shell", "-v", "0", "-c", DOWNLOADS)
    assert filled.returncode == 0, filled.stderr
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
    page.get_by_role("checkbox", name="5 there", exact=True).check()
    page.get_by_role("button", name="Do not want").click()
    expect(page.locator("#messages")).to_contain_text("1 episode is now not wanted")
    page.get_by_role("link", name="List").click()
    page.get_by_role("checkbox", name="S01E05").check()
    bulk = page.get_by_role("group", name="With the ticked episodes")
    bulk.get_by_role("button", name="Want", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("1 episode is now wanted")
    page.goto(f"{site.url}/unmatched/")
    page.locator("input[name=files]").first.check()
    page.get_by_role("button", name="Ignore", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("1 file is ignored")
    page.locator(".top > [data-menu] summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.context.close()


def places(page: Page, site: RunningSite) -> Iterator[str]:
    """Open one page after the other, with all that can be unfolded; those of the awkward series come last."""
    page.goto(f"{site.url}/series/")
    cards = page.locator(".card", has_text=re.compile("Endless|مسلسل"))
    awkward = [str(card.get_attribute("href")) for card in cards.all()]
    assert len(awkward) == 2
    for place in (*PLACES, "/schedule/", *awkward):
        page.goto(f"{site.url}{place}")
        page.evaluate(
            "document.querySelectorAll('main details').forEach((each) => (each.open = true))"
        )
        yield place


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_is_wider_than_the_screen(
    site: RunningSite, log_in: Callable[[RunningSite], Page], width: int
):
    page = log_in(site)
    page.set_viewport_size({"width": width, "height": 800})

    for place in places(page, site):
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, place


@pytest.mark.usefixtures("held")
def test_a_finger_meets_everything(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    """WCAG 2.2, 2.5.8: 24 by 24 pixels."""
    page = log_in(site)
    page.set_viewport_size({"width": 360, "height": 800})

    small = {place: page.evaluate(SMALL_TARGETS) for place in places(page, site)}

    assert {place: found for place, found in small.items() if found} == {}


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("place", PLACES)
def test_page_goes_on_where_it_was_made_and_fetches_nothing_again(
    site: RunningSite, log_in: Callable[[RunningSite], Page], place: str
):
    page = log_in(site)
    page.goto("about:blank")
    renewed: list[str] = []
    page.on(
        "request",
        lambda request: renewed.append(request.headers.get("hx-target", "")),
    )

    page.goto(f"{site.url}{place}")
    assert page.locator("[data-live-refresh]").count() > 0
    page.locator("[data-live-status][data-state=live]").first.wait_for()
    # Long enough for a renewal, which waits for all joins; that none comes shows only in time.
    page.wait_for_timeout(1_000)

    assert list(filter(None, renewed)) == []


@pytest.mark.usefixtures("held")
def test_addresses_name_only_what_was_chosen(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    page.goto(f"{site.url}/series/")

    page.locator("input[name=q]").fill("echo")
    page.wait_for_url(f"{site.url}/series/?q=echo")
    expect(page.locator("[data-found]")).to_contain_text("1 series found")
    page.locator("select[name=filter]").select_option("missing")
    page.wait_for_url(f"{site.url}/series/?q=echo&filter=missing")
    page.locator("input[name=q]").fill("")
    page.wait_for_url(f"{site.url}/series/?filter=missing")


@pytest.mark.usefixtures("held")
def test_a_renewal_of_an_older_search_does_not_take_the_place_of_a_newer(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    page.goto(f"{site.url}/series/")
    late = hold(page, "**/series/")
    results = page.locator("#series-results")
    with page.expect_request("**/series/"):
        results.dispatch_event("live:refresh")
    page.locator("input[name=q]").fill("echo")
    expect(results.locator(".card")).to_have_count(1)

    with page.expect_response("**/series/?q=echo"):
        late[0].continue_()

    expect(results.locator(".card")).to_have_count(1)


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
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_the_skip_link_leads_past_the_navigation(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_the_help_gives_the_focus_back_and_switches_the_keys_off(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    account = page.locator(".top > [data-menu] summary")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    account.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Keyboard shortcuts").focus()
    page.keyboard.press("Enter")
    expect(shortcuts.get_by_role("button", name="Close")).to_be_focused()
    page.get_by_label("Use these keys").uncheck()

    page.keyboard.press("Escape")

    expect(account).to_be_focused()
    page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()
    page.reload()
    page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()


def test_what_one_is_doing_survives_a_renewal(
    site: RunningSite, log_in: Callable[[RunningSite], Page], held: Path
):
    page = log_in(site)
    page.goto(f"{site.url}/series/echo/")
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )
    tick = page.get_by_role("checkbox", name="3 there", exact=True)
    why = page.locator(".file details", has_text="S01E01")
    why.locator("summary").click()
    tick.check()
    # It comes before what is ticked, which is then not another.
    write(held, "Echo/Season 01/Echo - S01E00.mkv")

    assert site.manage("scan", "--root", ROOT).returncode == 0

    expect(page.locator(".grid .cell")).to_have_count(31, timeout=LIVE_MS)
    expect(tick).to_be_checked()
    expect(tick).to_be_focused()
    expect(why).to_have_attribute("open", "")


def tick_unmatched(site: RunningSite, page: Page) -> tuple[Locator, Locator]:
    """Tick the first file that nobody can tell; return its box and the form that acts on it."""
    page.goto(f"{site.url}/unmatched/")
    tick = page.locator("input[name=files]").first
    tick.check()
    return tick, page.locator("#bulk")


@pytest.mark.usefixtures("held")
def test_what_is_refused_stays_as_it_was_chosen(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    tick, bulk = tick_unmatched(site, page)
    bulk.get_by_label("Series").fill("nothing like it")

    bulk.get_by_role("button", name="Assign").click()

    expect(page.locator("#messages")).to_contain_text("No series is called")
    expect(tick).to_be_checked()
    expect(bulk.get_by_label("Series")).to_have_value("nothing like it")


@pytest.mark.usefixtures("held")
def test_an_answer_that_is_cut_is_told_also_when_what_asked_for_it_is_gone(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    _tick, bulk = tick_unmatched(site, page)
    asked = hold(page, "**/files/*/")
    with page.expect_request("**/files/*/"):
        bulk.get_by_role("button", name="Ignore", exact=True).click()

    bulk.evaluate("form => form.remove()")
    asked[0].abort()

    expect(page.locator("#messages")).to_contain_text("Look whether it was done")


@pytest.mark.usefixtures("held")
def test_a_search_that_is_not_answered_says_so(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    page.goto(f"{site.url}/series/")
    page.route("**/series/?q=echo", lambda route: route.abort())

    page.locator("input[name=q]").fill("echo")

    expect(page.locator("#messages")).to_contain_text("The site does not answer")


def test_chosen_colours_are_kept(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    toggle = page.get_by_role("button", name="Colours")

    toggle.click()
    toggle.click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
