"""Connections that came by a key, as the site serves them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.contrib.auth.models import User
from django.utils import timezone

from realtime import hub as hub_module
from realtime import keys
from realtime.inspecting import inspect
from realtime.issuing import make_key, revoke_keys
from realtime.keys import WrongKeys
from realtime.models import ApiKey
from realtime.queries import run_query
from realtime.revocations import recheck
from realtime.routing import realtime_application, with_events
from realtime.testing import Connection, connect

pytestmark = pytest.mark.django_db(transaction=True)
_numbers = count(1)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(hub_module, "RECHECK_AGAIN_S", 0.4)
    monkeypatch.setattr(keys, "wrong_keys", WrongKeys())


def make(*scopes: str, **fields: Any) -> tuple[ApiKey, str]:
    user = User.objects.create_user(f"robot-{next(_numbers)}", **fields)
    return make_key(user, "Home", scopes)


async def visit(key: str) -> Connection:
    headers = [(b"authorization", f"Bearer {key}".encode())]
    return await connect(realtime_application(), headers=headers)


async def test_key_opens_the_rooms_of_its_scopes_and_no_other(layer):
    _, key = await run_query(make, "lab", "bench:*", "vault")
    async with await visit(key) as connection:
        answers = [await connection.join(name) for name in ("lab", "bench:7", "slow")]
        assert [answer["type"] for answer in answers] == ["joined", "joined", "error"]
        assert answers[2]["data"]["code"] == "unknown_room"
        # A scope gives no right that the user has not.
        assert (await connection.join("vault"))["data"]["code"] == "unknown_room"


@pytest.mark.parametrize("how", ["revoked", "deleted", "expired", "locked"])
async def test_connection_ends_with_its_key(layer, how):
    row, key = await run_query(make, "lab")
    connection = await visit(key)
    await connection.join("lab")

    def end() -> None:
        if how == "revoked":
            revoke_keys([row])
        elif how == "deleted":
            row.delete()
            recheck(row.user)
        elif how == "expired":
            ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
            recheck(row.user)
        else:
            row.user.is_active = False
            row.user.save()

    await run_query(end)

    assert await connection.expect_close() == 4401


async def test_narrowed_key_takes_the_connection_out_of_the_room(layer):
    row, key = await run_query(make, "lab", "bench:*")
    async with await visit(key) as connection:
        await connection.join("lab")
        await connection.join("bench:7")

        def narrow() -> None:
            ApiKey.objects.update(scopes=["bench:*"])
            recheck(row.user)

        await run_query(narrow)

        assert (await connection.expect("left"))["data"] == {"room": "lab"}
        assert (await connection.ping())["type"] == "pong"


async def test_lost_right_of_the_user_counts_for_the_key(layer):
    row, key = await run_query(make, "members", is_staff=True)
    async with await visit(key) as connection:
        assert (await connection.join("members"))["type"] == "joined"
        row.user.is_staff = False

        await run_query(row.user.save)

        assert (await connection.expect("left"))["data"] == {"room": "members"}


async def test_other_keys_of_the_user_stay(layer):
    row, key = await run_query(make, "lab")
    _, other = await run_query(make_key, row.user, "Hall", ["lab"])
    gone = await visit(key)
    async with await visit(other) as connection:
        await run_query(revoke_keys, [row])

        assert await gone.expect_close() == 4401
        assert (await connection.ping())["type"] == "pong"


async def test_connection_is_shown_with_its_age(layer):
    _, key = await run_query(make, "lab")
    async with await visit(key):
        (shown,) = (await run_query(inspect)).connections

    assert shown.user.startswith("robot-")
    assert shown.age is not None
    assert timedelta() <= shown.age < timedelta(seconds=10)


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Nothing here asks for a page."""


async def test_events_take_a_key_too(layer):
    _, key = await run_query(make, "lab")
    communicator = HttpCommunicator(
        with_events(pages),
        "GET",
        "/events/?room=lab",
        headers=[(b"x-api-key", key.encode()), (b"origin", b"https://evil.example")],
    )
    await communicator.send_input({"type": "http.request", "body": b""})

    start = await communicator.receive_output(5)
    body = b""
    while b'"joined"' not in body:
        body += (await communicator.receive_output(5))["body"]

    assert start["status"] == 200
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait()


async def test_events_refuse_a_wrong_key_in_words(layer):
    communicator = HttpCommunicator(
        with_events(pages),
        "GET",
        "/events/?room=lab",
        headers=[(b"x-api-key", b"rtk_")],
    )

    response = await communicator.get_response()

    assert (response["status"], response["body"]) == (401, b"Log in first.\n")
