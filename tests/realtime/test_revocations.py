from __future__ import annotations

import pytest
from channels.auth import AuthMiddlewareStack
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from realtime import hub as hub_module
from realtime.queries import run_query
from realtime.revocations import recheck
from realtime.testing import connect
from tests.realtime.lab import make_application

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(hub_module, "RECHECK_AGAIN_S", 0.4)


def make_user(**fields) -> User:
    return User.objects.create_user("mia", password="a long password", **fields)


async def visit(user: User):
    return await connect(AuthMiddlewareStack(make_application()), user=user)


async def run(work, *args) -> None:
    await run_query(work, *args)


async def test_logout_closes_the_sessions_connection(layer):
    user = await run_query(make_user)
    connection = await visit(user)
    session = await run_query(Session.objects.get)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    def log_out() -> None:
        from django.contrib.auth import logout
        from django.http import HttpRequest

        request = HttpRequest()
        request.session = client.session
        request.user = user
        logout(request)

    await run(log_out)

    assert await connection.expect_close() == 4401


def lock(user: User) -> None:
    user.is_active = False
    user.save()


def change_password(user: User) -> None:
    user.set_password("another long password")
    user.save()


def delete(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("change", [lock, change_password, delete])
async def test_user_who_may_not_stay_is_logged_out_at_once(layer, change):
    user = await run_query(make_user)
    connection = await visit(user)

    await run(change, user)

    assert await connection.expect_close() == 4401


async def test_lost_right_takes_the_connection_out_of_the_room(layer):
    user = await run_query(make_user, is_staff=True)
    async with await visit(user) as connection:
        await connection.join("members")
        await connection.join("lab")

        user.is_staff = False
        await run(user.save)
        left = await connection.expect("left")

        assert left["data"] == {"room": "members"}
        assert (await connection.ping())["type"] == "pong"


async def test_other_users_stay(layer):
    user = await run_query(make_user)
    other = await run_query(User.objects.create_user, "tom")
    async with await visit(other) as connection:
        gone = await visit(user)
        await run(lock, user)
        assert await gone.expect_close() == 4401

        assert (await connection.ping())["type"] == "pong"


@pytest.mark.parametrize("whose", ["user", "group", "membership"])
async def test_changed_rights_are_looked_at(layer, whose, monkeypatch):
    user = await run_query(make_user)
    permission = await run_query(Permission.objects.first)
    group = await run_query(Group.objects.create, name="viewers")
    await run(user.groups.add, group)
    sent: list[str] = []
    monkeypatch.setattr("realtime.revocations._send", sent.append)

    if whose == "user":
        await run(user.user_permissions.add, permission)
    elif whose == "group":
        await run(group.permissions.add, permission)
    else:
        await run(user.groups.remove, group)

    assert sent == ["*" if whose == "group" else f"user:{user.pk}"]


def test_login_and_a_broker_that_is_away_change_nothing(settings, caplog):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["unix:///nowhere"]},
        }
    }
    user = make_user()

    recheck(user)
    user.save(update_fields=["last_login"])

    warnings = [r for r in caplog.records if r.name == "realtime.revocations"]
    assert len(warnings) == 2
