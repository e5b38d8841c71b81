from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import User

from realtime import keys
from realtime.issuing import make_key
from realtime.keys import (
    KeyMiddleware,
    TooManyWrongKeysError,
    WrongKeys,
    make_secret,
)
from realtime.models import ApiKey
from realtime.queries import run_query
from realtime.routing import websocket_urlpatterns
from realtime.testing import Connection, connect, make_session_cookie

_numbers = count(1)


@pytest.fixture(autouse=True)
def _nobody_guessed(monkeypatch):
    monkeypatch.setattr(keys, "wrong_keys", WrongKeys())


def make_user() -> User:
    return User.objects.create_user(f"robot-{next(_numbers)}")


def make() -> tuple[ApiKey, str]:
    return make_key(make_user(), "Home", ["lab"])


def bearer(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {key}".encode())]


def make_application():
    return KeyMiddleware(URLRouter(websocket_urlpatterns))


@pytest.mark.django_db(transaction=True)
async def test_program_comes_in_by_its_key_from_wherever_it_says(layer):
    row, key = await run_query(make)
    headers = [*bearer(key), (b"origin", b"https://evil.example")]

    async with await connect(make_application(), headers=headers) as connection:
        assert connection.frames[0]["data"]["user"] == row.user.username
        assert (await connection.join("lab"))["type"] == "joined"


@pytest.mark.django_db(transaction=True)
async def test_wrong_key_is_nobody_even_with_a_cookie(layer):
    user = await run_query(make_user)
    cookie = await run_query(make_session_cookie, user)
    headers = [(b"x-api-key", b"rtk_wrong"), cookie]
    connection = Connection(make_application(), path="/ws/", headers=headers)

    assert await connection.open()
    assert await connection.expect_close() == 4401


@pytest.mark.django_db(transaction=True)
async def test_cookie_from_elsewhere_is_refused_as_ever(layer):
    user = await run_query(make_user)
    cookie = await run_query(make_session_cookie, user)
    headers = [cookie, (b"origin", b"https://evil.example")]
    connection = Connection(make_application(), path="/ws/", headers=headers)

    assert await connection.open()
    assert await connection.expect_close() == 4403


def turn_away(*_args: object) -> None:
    raise TooManyWrongKeysError(1500)


@pytest.mark.django_db(transaction=True)
async def test_whoever_guesses_is_told_when_to_come_back(layer, monkeypatch):
    monkeypatch.setattr(keys.wrong_keys, "check", turn_away)
    connection = Connection(
        make_application(), path="/ws/", headers=bearer(make_secret())
    )

    assert await connection.open()
    assert await connection.expect_close() == 4429
    bye = connection.frames[-1]
    assert (bye["type"], bye["data"]["after_ms"]) == ("bye", 1500)


async def test_guesser_over_http_gets_429(monkeypatch):
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    monkeypatch.setattr(keys.wrong_keys, "check", turn_away)
    scope = {"type": "http", "headers": bearer(make_secret()), "client": None}

    await KeyMiddleware(None)(scope, None, send)

    assert sent[0]["status"] == 429
    assert (b"retry-after", b"2") in sent[0]["headers"]
