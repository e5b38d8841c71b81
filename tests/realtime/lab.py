"""Messages and rooms that only these tests know, and the smallest application that serves them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import count
from typing import Any

from channels.routing import URLRouter

from realtime.messages import Message
from realtime.rooms import Room
from realtime.routing import websocket_urlpatterns
from realtime.testing import Connection, Headers

_pks = count(1)


class LabProgress(
    Message, type="lab_progress", delivery="state", entity="lab:{lab_id}"
):
    lab_id: int
    percent: float
    eta_seconds: float | None
    folder: str | None = None


class LabDone(Message, type="lab_done", delivery="event"):
    lab_id: int


class LabPaced(
    Message, type="lab_paced", delivery="state", entity="lab:{lab_id}", max_hz=10
):
    lab_id: int
    percent: float


class LabEnd(
    Message, type="lab_end", delivery="event", entity="lab:{lab_id}", ends=True
):
    lab_id: int


class LabRoom(Room):
    pattern = "lab"
    messages = frozenset({LabProgress, LabDone, LabPaced, LabEnd})


class BenchRoom(Room):
    pattern = "bench:{key}"
    messages = frozenset({LabDone})


class VaultRoom(Room):
    pattern = "vault"

    def may_join(self, user: Any) -> bool:
        return False


class CrashRoom(Room):
    pattern = "crash"

    def may_join(self, user: Any) -> bool:
        raise RuntimeError("the database is gone")


class SlowRoom(Room):
    pattern = "slow"
    is_released = threading.Event()

    def may_join(self, user: Any) -> bool:
        return self.is_released.wait(10)


class MembersRoom(Room):
    pattern = "members"
    messages = frozenset({LabDone})

    def may_join(self, user: Any) -> bool:
        return bool(user.is_staff)


@dataclass
class Visitor:
    """What a consumer asks of a user, without a database."""

    username: str
    pk: int
    is_active: bool = True
    is_authenticated = True

    def get_username(self) -> str:
        return self.username


def make_visitor(username: str = "mia", **fields: Any) -> Any:
    return Visitor(username=username, pk=next(_pks), **fields)


def make_application(user: Any = None) -> Any:
    """Serve the consumer to this user, whatever the cookies say."""
    router = URLRouter(websocket_urlpatterns)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        served: Any = {**scope, "user": user} if user else scope
        await router(served, receive, send)

    return application


async def open_connection(user: Any = None, *, headers: Headers = ()) -> Connection:
    """Shake hands without waiting for a welcome."""
    connection = Connection(make_application(user), path="/ws/", headers=headers)
    assert await connection.open()
    return connection
