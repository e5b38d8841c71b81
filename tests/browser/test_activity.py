"""The admin's page of rooms and connections, in a browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.running import RunningSite


def test_page_follows_who_comes_and_goes(
    site: RunningSite, log_in: Callable[[RunningSite], Page]
):
    page = log_in(site)
    page.goto(f"{site.url}/admin/realtime/activity/")
    room = page.get_by_role("rowheader", name="scan", exact=True)
    expect(room).to_have_count(0)

    visitor = page.context.new_page()
    visitor.goto(f"{site.url}/scans/")
    expect(room).to_have_count(1)

    visitor.close()
    expect(room).to_have_count(0)
    expect(page.get_by_role("status").first).to_contain_text("every 3 seconds")
