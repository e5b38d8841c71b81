from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from realtime import inspecting
from realtime.hub import Hub, get_hub
from realtime.inspecting import inspect, measure
from realtime.issuing import make_key
from realtime.keys import authenticate
from realtime.models import ApiKey
from realtime.outbox import Item
from realtime.testing import connect
from tests.realtime.lab import make_application

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not apps.is_installed("django.contrib.admin"), reason="There is no admin."
    ),
]
KEYS, ACTIVITY = "/admin/realtime/apikey/", "/admin/realtime/activity/"


def make_staff(*codenames: str, username: str = "mia", **fields) -> User:
    user = User.objects.create_user(username, is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def admin(client):
    user = make_staff(is_superuser=True)
    client.force_login(user)
    return user


def add(client: Client, **fields):
    data = {
        "name": "Home",
        "scopes": "scan\nseries:*",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    return client.post(f"{KEYS}add/", data | fields, follow=True)


# Keys


def test_key_is_shown_once_when_it_is_made(client, admin):
    response = add(client, user=admin.pk)

    (key,) = re.findall(r"rtk_[\w-]{43}", response.text)
    grant = authenticate([(b"x-api-key", key.encode())])
    assert grant is not None
    assert grant.scopes == ("scan", "series:*")
    row = ApiKey.objects.get()
    history = f"{KEYS}{row.pk}/history/"
    for page in ("/admin/", KEYS, f"{KEYS}{row.pk}/change/", history):
        text = client.get(page).text
        assert key not in text
        assert row.digest not in text


@pytest.mark.parametrize(
    ("scopes", "why"),
    [
        ("", "required"),
        ("nowhere", "No room is called"),
        ("<script>", "Expected a scope like"),
        ("scan*x", "Expected a scope like"),
        ("a\n" * 60_000, "No room is called"),
    ],
)
def test_scope_that_cannot_be_is_said(client, admin, scopes, why):
    response = add(client, user=admin.pk, scopes=scopes)

    assert why in response.text
    assert "<script>\n" not in response.text
    assert not ApiKey.objects.exists()


def test_staff_make_keys_for_themselves_only(client):
    boss = make_staff(is_superuser=True, username="boss")
    client.force_login(user := make_staff("add_apikey", "view_apikey"))

    refused = add(client, user=boss.pk)
    add(client, user=user.pk)

    assert "Select a valid choice" in refused.text
    assert ApiKey.objects.get().user == user


def test_user_of_a_key_cannot_be_changed(client, admin):
    row, _ = make_key(make_staff(username="tom"), "Home", ["scan"])

    data = {"user": admin.pk, "name": "Hall", "scopes": "queue\nscan"}
    client.post(
        f"{KEYS}{row.pk}/change/", {**data, "expires_at_0": "", "expires_at_1": ""}
    )

    row.refresh_from_db()
    assert (row.name, row.scopes) == ("Hall", ["queue", "scan"])
    assert row.user.username == "tom"


def test_keys_are_revoked_by_an_action(
    client, admin, monkeypatch, django_capture_on_commit_callbacks
):
    told: list[str] = []
    monkeypatch.setattr("realtime.revocations._send", told.append)
    rows = [make_key(admin, name, ["scan"])[0] for name in "ab"]
    data = {"action": "revoke", "_selected_action": [row.pk for row in rows]}

    with django_capture_on_commit_callbacks(execute=True):
        first = client.post(KEYS, data, follow=True)
    again = client.post(KEYS, data, follow=True)

    assert "2 keys are revoked" in first.text
    assert "0 keys are revoked" in again.text
    assert told == [f"user:{admin.pk}"] * 2
    assert "revoked" in client.get(KEYS).text


@pytest.mark.parametrize("way", ["delete", "delete_selected", "change"])
def test_connections_are_looked_at_when_a_key_goes_or_changes(
    client, admin, monkeypatch, django_capture_on_commit_callbacks, way
):
    told: list[str] = []
    row, _ = make_key(admin, "Home", ["scan"])
    monkeypatch.setattr("realtime.revocations._send", told.append)

    with django_capture_on_commit_callbacks(execute=True):
        if way == "delete":
            client.post(f"{KEYS}{row.pk}/delete/", {"post": "yes"})
        elif way == "delete_selected":
            data = {"action": way, "_selected_action": [row.pk], "post": "yes"}
            client.post(KEYS, data)
        else:
            data = {"name": "Home", "scopes": "scan\nmetrics"}
            response = client.post(
                f"{KEYS}{row.pk}/change/",
                {**data, "expires_at_0": "", "expires_at_1": ""},
            )
            assert response.status_code == 302

    assert told == [f"user:{admin.pk}"]


def test_state_says_what_a_key_is_worth(client, admin):
    make_key(admin, "a", ["scan"])
    make_key(admin, "b", ["scan"], expires_at=timezone.now() - timedelta(days=1))
    ApiKey.objects.filter(pk=make_key(admin, "c", ["scan"])[0].pk).update(
        last_used_at=timezone.now()
    )

    text = client.get(KEYS).text

    assert [state in text for state in ("not used yet", "expired", "in use")] == [
        True
    ] * 3


def test_who_only_views_cannot_revoke(client):
    row, _ = make_key(make_staff("view_apikey"), "Home", ["scan"])
    client.force_login(row.user)

    client.post(KEYS, {"action": "revoke", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert row.revoked_at is None


# Activity


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
    user = await sync_to_async(User.objects.create_user)("<b>tom</b>")
    staff = await sync_to_async(make_staff)("view_activity")
    client = Client()
    await asyncio.to_thread(client.force_login, staff)
    async with await connect(make_application(user)) as connection:
        joined = await connection.join("lab")
        slow = next(iter(get_hub().guests))
        text = (await asyncio.to_thread(client.get, ACTIVITY)).text

        assert "Rooms: 1" in text
        assert joined["data"]["epoch"] in text
        assert "up to date" in text
        assert "&lt;b&gt;tom&lt;/b&gt;" in text
        assert "of them slow: 0" in text

        slow.outbox.put("lab", Item(1, "e", "x" * 2048))
        report = await asyncio.to_thread(inspect)
        await asyncio.to_thread(measure)

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
    users = [await sync_to_async(User.objects.create_user)(f"u{n}") for n in range(3)]
    opened = [await connect(make_application(user)) for user in users]

    def look() -> None:
        with django_assert_num_queries(1):
            report = inspect()
        assert {each.user for each in report.connections} == {"u0", "u1", "u2"}

    await sync_to_async(look)()
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


# Elsewhere


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
