from __future__ import annotations

import json
import re
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from realtime import inspecting
from realtime.hub import Hub, get_hub
from realtime.inspecting import inspect, measure
from realtime.issuing import make_key
from realtime.outbox import Item
from realtime.queries import run_query
from realtime.testing import connect
from tests.realtime.lab import make_application
from tests.realtime.staff import ACTIVITY, KEYS, make_staff, needs_admin

pytestmark = [pytest.mark.django_db, needs_admin]


@pytest.mark.parametrize(
    ("codenames", "status"),
    [(["view_activity"], 200), (["view_apikey", "view_metrics"], 403), ([], 403)],
)
def test_activity_takes_its_own_permission(client, codenames, status):
    client.force_login(make_staff(*codenames))

    assert client.get(ACTIVITY).status_code == status


def test_activity_opens_no_page_of_keys(client):
    row, _ = make_key(make_staff("view_activity"), "Home", ["scan"])
    client.force_login(row.user)

    for page in (
        f"{row.pk}/change/",
        f"{row.pk}/history/",
        "add/",
        f"{row.pk}/delete/",
    ):
        assert client.get(ACTIVITY + page).status_code in (302, 404)
        assert row.prefix not in client.get(ACTIVITY + page, follow=True).text
    assert client.get(KEYS).status_code == 403


def test_activity_is_in_the_index_and_has_no_inline_script(client, admin):
    assert ACTIVITY in client.get("/admin/").text

    response = client.get(ACTIVITY)

    assert "No connection is open." in response.text
    assert not re.search(
        r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|\sstyle=", response.text
    )
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
async def test_activity_shows_rooms_and_connections(layer):
    user = await run_query(User.objects.create_user, "<b>tom</b>")
    staff = await run_query(make_staff, "view_activity")
    client = Client()
    await run_query(client.force_login, staff)
    async with await connect(make_application(user)) as connection:
        joined = await connection.join("lab")
        slow = next(iter(get_hub().guests))
        text = (await run_query(client.get, ACTIVITY)).text

        assert "Rooms: 1" in text
        assert joined["data"]["epoch"] in text
        assert "up to date" in text
        assert "&lt;b&gt;tom&lt;/b&gt;" in text
        assert "of them slow: 0" in text

        slow.outbox.put("lab", Item(1, "e", "x" * 2048))
        report = await run_query(inspect)
        await run_query(measure)

        assert report.slow_count == 1
        (shown,) = report.connections
        assert (shown.outbox_bytes, shown.outbox_count, shown.rooms) == (
            2048,
            1,
            ("lab",),
        )
        assert shown.transport == "websocket"
        slow.outbox.clear()


@pytest.mark.django_db(transaction=True)
async def test_many_connections_take_one_query(layer, django_assert_num_queries):
    users = [await run_query(User.objects.create_user, f"u{n}") for n in range(3)]
    opened = [await connect(make_application(user)) for user in users]

    def look() -> None:
        with django_assert_num_queries(1):
            report = inspect()
        assert {each.user for each in report.connections} == {"u0", "u1", "u2"}

    await run_query(look)
    for connection in opened:
        await connection.close()


def test_hub_that_changes_while_it_is_read_is_read_again(monkeypatch):
    class Changing(dict[Any, Any]):
        turns = 0

        def values(self):
            Changing.turns += 1

            def go():
                if Changing.turns < 3:
                    raise RuntimeError("dictionary changed size during iteration")
                yield from ()

            return go()

    hub = Hub()
    hub.guests = Changing()
    monkeypatch.setattr(inspecting, "get_hubs", lambda: [hub])

    assert inspect().connection_count == 0


def test_proxy_without_a_table_is_no_trouble_for_dumpdata(admin):
    make_key(admin, "Home", ["scan"])
    out = StringIO()

    call_command("dumpdata", "realtime", stdout=out)

    assert [each["model"] for each in json.loads(out.getvalue())] == ["realtime.apikey"]


def test_project_without_an_admin_does_without_the_page():
    script = "import django; django.setup(); import sys, realtime.views, realtime.inspecting; print('realtime.admin' in sys.modules, 'django.contrib.admin' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
            "PYTHONPATH": ":".join(sys.path),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout == "False False\n"
