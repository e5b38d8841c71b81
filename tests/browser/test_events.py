"""A network that lets no socket through: the page is live all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.library.trees import write_season
from tests.running import RunningSite

LIVE_MS = 30_000
# As behind a proxy that swallows what it does not know: nothing opens, and nothing fails.
NO_SOCKET = "window.WebSocket = class { send() {} close() {} }"


def test_page_is_live_over_http(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    for number in range(3):
        write_season(tmp_path, f"Quiet {number}", episodes=5)
    page = log_in(site)
    page.add_init_script(NO_SOCKET)
    page.goto(f"{site.url}/series/")
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )

    site.manage("add_root", str(tmp_path), "--name", "Quiet")
    assert site.manage("scan", "--root", "Quiet").returncode == 0

    expect(page.locator(".card")).to_have_count(3, timeout=LIVE_MS)
