"""Connections with real sessions and users."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from realtime.routing import realtime_application
from realtime.testing import Connection, connect, make_session_cookie, virtual_clock

pytestmark = pytest.mark.django_db(transaction=True)

HEARTBEAT_S = 25


@pytest.fixture
def user():
    return get_user_model().objects.create_user("mia", password="secret", is_staff=True)


@pytest.fixture
async def connection(layer, settings, user):
    """A connection whose session is looked at with every ping."""
    settings.REALTIME = {"REAUTHORIZE_S": 0.001}
    opened = await connect(realtime_application(), user=user)
    yield opened
    await opened.close()


async def beat(connection: Connection) -> None:
    """Let the time until the next ping pass."""
    with virtual_clock() as clock:
        await clock.advance(HEARTBEAT_S)
    await connection.expect("ping")


async def test_session_is_what_lets_a_user_in(layer, user):
    async with await connect(realtime_application(), user=user) as connection:
        assert connection.frames[0]["data"]["user"] == "mia"
        assert (await connection.join("members"))["type"] == "joined"


@pytest.mark.parametrize(
    "cookie", [b"", b"sessionid=nonsense", b"sessionid=\xff; a=b", b"=;=;"]
)
async def test_without_a_session_the_answer_is_4401(layer, cookie):
    connection = Connection(
        realtime_application(), path="/ws/", headers=[(b"cookie", cookie)]
    )
    assert await connection.open()

    assert await connection.expect_close() == 4401


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/x", "/other/"])
async def test_other_paths_are_refused_at_the_handshake(layer, path):
    connection = Connection(realtime_application(), path=path, headers=[])

    assert not await connection.open()
    await connection.close()


async def test_foreign_page_with_a_good_cookie_is_told_4403(layer, user):
    cookie = await sync_to_async(make_session_cookie)(user)
    connection = Connection(
        realtime_application(),
        path="/ws/",
        headers=[cookie, (b"host", b"localhost"), (b"origin", b"http://evil.example")],
    )
    assert await connection.open()

    assert await connection.expect_close() == 4403


async def test_logout_closes_the_connection_with_4401(connection):
    await sync_to_async(Session.objects.all().delete)()

    await beat(connection)

    assert (await connection.expect("bye"))["data"]["code"] == 4401
    assert await connection.expect_close() == 4401


async def test_lock_of_the_user_closes_the_connection_with_4401(connection, user):
    await sync_to_async(get_user_model().objects.update)(is_active=False)

    await beat(connection)

    assert (await connection.expect("bye"))["data"]["code"] == 4401


async def test_new_password_closes_the_connection_with_4401(connection, user):
    user.set_password("other")
    await sync_to_async(user.save)()

    await beat(connection)

    assert (await connection.expect("bye"))["data"]["code"] == 4401


async def test_room_that_is_no_longer_theirs_is_left(connection):
    await connection.join("members")
    await connection.join("lab")
    await sync_to_async(get_user_model().objects.update)(is_staff=False)

    await beat(connection)
    left = await connection.expect("left")

    assert (left["data"], left.get("ref")) == ({"room": "members"}, None)
    assert (await connection.join("members"))["data"]["code"] == "unknown_room"
    assert (await connection.join("lab"))["type"] == "joined"
