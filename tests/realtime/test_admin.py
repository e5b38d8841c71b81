from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from realtime.issuing import make_key
from realtime.keys import authenticate
from realtime.models import ApiKey
from tests.realtime.staff import KEYS, make_staff, needs_admin

pytestmark = [pytest.mark.django_db, needs_admin]


def add(client: Client, **fields):
    data = {
        "name": "Home",
        "scopes": "scan\nseries:*",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    return client.post(f"{KEYS}add/", data | fields, follow=True)


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
