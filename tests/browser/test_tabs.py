"""Several tabs of one browser: one socket, and all of them live, whoever is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.library.trees import write_season
from tests.running import RunningSite

LIVE_MS = 20_000


def expect_live(page: Page) -> None:
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )


def count_sockets(page: Page) -> list[str]:
    """Note the address of each socket that a tab of this browser opens from here on."""
    opened: list[str] = []
    page.context.on(
        "page",
        lambda tab: tab.on("websocket", lambda socket: opened.append(socket.url)),
    )
    return opened


def test_tabs_share_one_socket_and_pass_it_on(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    site.manage("add_root", str(tmp_path), "--name", f"Tabs {tmp_path.name}")
    start = log_in(site)
    opened = count_sockets(start)
    context = start.context
    tabs = [context.new_page() for _ in range(3)]
    start.close()
    for tab in tabs:
        tab.goto(f"{site.url}/series/?q=tabbed")
        expect_live(tab)
        tab.evaluate("window.wasNotReloaded = true")
    assert len(opened) == 1

    write_season(tmp_path, "Tabbed 1", episodes=3)
    assert site.manage("scan", "--root", f"Tabs {tmp_path.name}").returncode == 0
    for tab in tabs:
        expect(tab.locator(".card")).to_have_count(1, timeout=LIVE_MS)

    tabs.pop(0).close()
    write_season(tmp_path, "Tabbed 2", episodes=3)
    assert site.manage("scan", "--root", f"Tabs {tmp_path.name}").returncode == 0
    for tab in tabs:
        expect(tab.locator(".card")).to_have_count(2, timeout=LIVE_MS)
        expect_live(tab)
        assert tab.evaluate("window.wasNotReloaded") is True
    assert len(opened) == 2
