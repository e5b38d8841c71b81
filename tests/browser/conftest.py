"""A whole site on each server, and real browsers before it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.stages import Stage
from tests.downloads.sources import BadSource
from tests.running import PASSWORD, USER, RunningSite

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # For one module at a time: Playwright keeps an event loop running, beside which no asynchronous test can run its own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def site(request: pytest.FixtureRequest) -> Iterator[RunningSite]:
    site = RunningSite("--server", request.param)
    try:
        yield site.start()
    finally:
        site.remove()


@pytest.fixture
def log_in(browser: Browser) -> Iterator[Callable[[RunningSite], Page]]:
    """Return a function that opens a browser of its own and logs in. What breaks a page's policy fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(site: RunningSite) -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text)
                if "Content Security Policy" in line.text
                else None
            ),
        )
        page.goto(f"{site.url}/login/")
        page.get_by_label("User name").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{site.url}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def stage(site: RunningSite, tmp_path: Path) -> Iterator[Stage]:
    with BadSource().running() as server:
        stage = Stage(site, server, tmp_path / f"root-{tmp_path.name}")
        yield stage
        server.stop.set()
        # The next test's files must not go to a folder of this one.
        stage.manage(
            "shell",
            "-v",
            "0",
            "-c",
            "from aniworld_site.downloads.models import Queue, Source\n"
            "from aniworld_site.library.models import RootFolder, Series\n"
            "for model in (Queue, Source, Series, RootFolder): model.objects.all().delete()",
        )
