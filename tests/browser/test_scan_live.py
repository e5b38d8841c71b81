"""A library scanned live: what a person sees in the browser, while the scan is asked for in each possible way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from tests.library.trees import write_season
from tests.running import RunningSite, until

LIVE_MS = 20_000
FILES = 1000

# Notes each value that a scan's bar takes, in the page itself: a test that asks from outside would miss most of them.
WATCH_BARS = """() => {
  window.barValues = [];
  const note = () => document.querySelectorAll(".scan-bar progress").forEach((bar) => window.barValues.push(bar.value));
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["value"]});
}"""


def make_library(place: Path, series: int, *, name: str = "Series") -> None:
    for number in range(series):
        write_season(place, f"{name} {number:03} (2020)", episodes=10)


def expect_live(page: Page) -> None:
    expect(page.locator("[data-live-status]")).to_have_attribute(
        "data-state", "live", timeout=LIVE_MS
    )


def mark(page: Page) -> None:
    """Leave a mark that a reload would take away."""
    page.evaluate("window.wasNotReloaded = true")


def expect_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.wasNotReloaded") is True


def cookies(page: Page) -> str:
    return "; ".join(
        f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies()
    )


def test_a_root_is_added_and_scanned_live_in_two_browsers(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    make_library(tmp_path, FILES // 20, name="Browsed")
    first, second = log_in(site), log_in(site)
    first.goto(f"{site.url}/roots/")
    form = first.locator("#root-add")
    form.get_by_label("Path of the folder").fill(str(tmp_path))
    form.get_by_label("Name").fill("Browsed root")
    form.get_by_role("button", name="Add the folder").click()
    root = first.locator(".root", has_text="Browsed root")
    expect(root).to_contain_text(str(FILES // 2), timeout=LIVE_MS)
    make_library(tmp_path, FILES // 10, name="Browsed")
    second.goto(f"{site.url}/series/?q=browsed&sort=-added")
    for page in (first, second):
        expect_live(page)
        mark(page)
    newest = f"Browsed {FILES // 10 - 1:03}"
    expect(second.get_by_role("link", name=re.compile(newest))).to_have_count(0)

    root.get_by_role("button", name="Scan").click()

    expect(second.get_by_role("link", name=re.compile(newest)).first).to_be_visible(
        timeout=LIVE_MS
    )
    expect(root).to_contain_text("1,000", timeout=LIVE_MS)
    expect_not_reloaded(second)


def test_a_scan_from_the_command_moves_the_bar_and_fills_the_pages(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    make_library(tmp_path, 400)
    assert site.manage("add_root", str(tmp_path), "--name", "Commanded").returncode == 0
    page = log_in(site)
    expect_live(page)
    mark(page)
    page.evaluate(WATCH_BARS)

    done = site.manage("scan", "--root", "Commanded")

    assert done.returncode == 0, done.stderr
    assert "4000 files of 400 series" in done.stdout
    expect(page.locator(".root", has_text="Commanded")).to_contain_text(
        "4,000", timeout=LIVE_MS
    )
    values = page.evaluate("window.barValues")
    assert len(set(values)) >= 3, values
    expect(page.locator(".scan-bar")).to_have_count(0)
    expect_not_reloaded(page)


def test_the_episode_grid_fills_while_the_page_is_open(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    write_season(tmp_path, "Growing", episodes=3)
    site.manage("add_root", str(tmp_path), "--name", "Growing root")
    assert site.manage("scan", "--root", "Growing root").returncode == 0
    page = log_in(site)
    page.goto(f"{site.url}/series/growing/")
    expect_live(page)
    mark(page)
    write_season(tmp_path, "Growing", episodes=12)

    assert site.manage("scan", "--series", "growing").returncode == 0

    expect(
        page.locator(".season .episode, .season [data-episode], .season li")
    ).to_have_count(12, timeout=LIVE_MS)
    expect_not_reloaded(page)


def test_the_admins_action_scans_and_shows_it(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    write_season(tmp_path, "Administered", episodes=5)
    site.manage("add_root", str(tmp_path), "--name", "Administered root")
    assert site.manage("scan", "--root", "Administered root").returncode == 0
    write_season(tmp_path, "Administered", episodes=9)
    watching, page = log_in(site), log_in(site)
    watching.goto(f"{site.url}/series/administered/")
    expect_live(watching)
    mark(watching)
    page.goto(f"{site.url}/admin/library/series/?q=administered")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option(label="Scan selected series")

    page.get_by_role("button", name=re.compile("Run|Go")).first.click()

    expect(page.locator(".messagelist")).to_be_visible()
    expect(watching.get_by_text("9", exact=False).first).to_be_visible(timeout=LIVE_MS)
    expect_not_reloaded(watching)


def test_an_edit_in_the_admin_reaches_an_open_page(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    write_season(tmp_path, "Edited", episodes=2)
    site.manage("add_root", str(tmp_path), "--name", "Edited root")
    assert site.manage("scan", "--root", "Edited root").returncode == 0
    watching, page = log_in(site), log_in(site)
    watching.goto(f"{site.url}/series/edited/")
    expect_live(watching)
    mark(watching)
    page.goto(f"{site.url}/admin/library/series/?q=edited")
    page.get_by_role("link", name="Edited").first.click()
    page.locator("#id_title").fill("Edited in the admin")

    page.get_by_role("button", name="Save", exact=True).click()

    expect(watching.get_by_role("heading", name="Edited in the admin")).to_be_visible(
        timeout=LIVE_MS
    )
    expect_not_reloaded(watching)


def test_a_plain_client_sees_part_one(
    site: RunningSite, log_in: Callable[[RunningSite], Page], tmp_path: Path
):
    make_library(tmp_path, 100)
    site.manage("add_root", str(tmp_path), "--name", "Plain root")
    page = log_in(site)
    address = f"{site.url.replace('http', 'ws')}/ws/"
    with connect(
        address, additional_headers={"Cookie": cookies(page)}, proxy=None
    ) as client:
        connected = json.loads(client.recv(10))
        client.send(json.dumps({"action": "join", "room": "scan"}))
        joined = json.loads(client.recv(10))
        assert site.manage("scan", "--root", "Plain root", "--no-wait").returncode == 0
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] not in {"scan_complete", "scan_failed"}:
            frames.append(json.loads(client.recv(20)))
        client.send(json.dumps({"action": "leave", "data": {"room": "scan"}}))
        left = json.loads(client.recv(10))

    assert [connected["type"], joined["type"], left["type"]] == [
        "connected",
        "joined",
        "left",
    ]
    progress = [frame["data"] for frame in frames if frame["type"] == "scan_progress"]
    assert {"current", "total", "percent", "scan_id"} <= progress[0].keys()
    assert [data["percent"] for data in progress] == sorted(
        data["percent"] for data in progress
    )
    assert (
        progress[-1]["current"],
        progress[-1]["total"],
        progress[-1]["percent"],
    ) == (1000, 1000, 100)
    assert frames[-1]["data"]["series_found"] == 100
    assert frames[-1]["data"]["duration"] >= 0
    assert all(set(frame) >= {"type", "timestamp", "data"} for frame in frames)


def test_without_a_login_the_socket_says_bye(site: RunningSite):
    with connect(f"{site.url.replace('http', 'ws')}/ws/", proxy=None) as client:
        frame = json.loads(client.recv(10))

    assert frame["type"] == "bye"
    assert frame["data"]["code"] == 4401


@pytest.mark.fault
@pytest.mark.parametrize("victim", ["worker", "valkey", "web"])
def test_a_kill_during_a_scan_is_healed(
    site: RunningSite,
    log_in: Callable[[RunningSite], Page],
    tmp_path: Path,
    victim: str,
):
    until(site.is_well, timeout_s=30, what="a site that is well")
    make_library(tmp_path, 1500)
    name = f"Killed {victim}"
    site.manage("add_root", str(tmp_path), "--name", name)
    page = log_in(site)
    expect_live(page)
    assert site.manage("scan", "--root", name, "--no-wait").returncode == 0
    expect(page.locator(".scan-bar", has_text=name)).to_be_visible(timeout=LIVE_MS)

    site.kill(victim)

    expect(page.locator(".root", has_text=name)).to_contain_text(
        "15,000", timeout=180_000
    )
    expect_live(page)
    done = site.manage("scan", "--root", name)
    assert "15000 files of 1500 series" in done.stdout, done.stdout + done.stderr
    assert "0 added, 0 updated, 0 vanished" in done.stdout
