"""Tools for every app's tests: a connection that waits for replies, a look at what is published, faults, and a clock to turn.

None of them sleeps: a test says what it waits for, and time passes when it turns the clock.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser

from realtime.history import HubHistory, SenderHistory
from realtime.hub import get_hub
from realtime.publishing import Publication, observe
from realtime.queries import run_query
from realtime.rooms import Room
from realtime.uplink import Uplink

TIMEOUT_S = 5.0
TURNS = 5
"""Of the event loop, for what a timer starts."""

Headers = Iterable[tuple[bytes, bytes]]


@contextmanager
def published(*, deliver: bool = False) -> Iterator[list[Publication]]:
    """Collect what is published in any thread, as (room name, message), once its transaction has committed; send it only if `deliver`."""
    publications: list[Publication] = []

    def observer(publication: Publication) -> bool:
        publications.append(publication)
        return not deliver

    forget = observe(observer)
    try:
        yield publications
    finally:
        forget()


def make_session_cookie(user: AbstractBaseUser) -> tuple[bytes, bytes]:
    """Log the user in and return the header that a browser would send; writes one session to the database."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode()


class Connection:
    """A client without a network. Nothing sleeps: each method waits for the frame that answers it."""

    def __init__(self, application: Any, *, path: str, headers: Headers) -> None:
        self._reads = asyncio.Event()
        self._reads.set()
        self._communicator = WebsocketCommunicator(
            self._slow_down(application), path, headers=list(headers)
        )
        self._refs = 0
        self.connection_id = ""
        self.frames: list[dict[str, Any]] = []
        """All that came, in order."""

    async def open(self) -> bool:
        """Shake hands; True when the server accepted."""
        accepted, _ = await self._communicator.connect(timeout=TIMEOUT_S)
        return accepted

    async def send(self, frame: Mapping[str, Any] | str) -> None:
        """Send a frame, or any text in its place."""
        await self._communicator.send_input(
            {
                "type": "websocket.receive",
                "text": frame if isinstance(frame, str) else json.dumps(frame),
            }
        )

    async def send_bytes(self, frame: bytes) -> None:
        """Send a binary frame."""
        await self._communicator.send_input(
            {"type": "websocket.receive", "bytes": frame}
        )

    async def receive(self) -> dict[str, Any]:
        """Return the next frame."""
        event = await self._communicator.receive_output(TIMEOUT_S)
        if event["type"] != "websocket.send":
            raise AssertionError(f"Expected a frame, got {event}.")
        frame: dict[str, Any] = json.loads(event["text"])
        self.frames.append(frame)
        return frame

    async def expect(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next frame of this type whose data has these fields; others are skipped and stay in `frames`."""
        first = len(self.frames)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    frame = await self.receive()
                    if frame["type"] == kind and all(
                        frame["data"].get(name) == value
                        for name, value in fields.items()
                    ):
                        return frame
        except TimeoutError as error:
            raise AssertionError(
                f"Expected {kind} {fields}, got {self.frames[first:]}."
            ) from error

    async def expect_close(self) -> int:
        """Return the code that the server closes with; frames before it go to `frames`."""
        while True:
            event = await self._communicator.receive_output(TIMEOUT_S)
            if event["type"] == "websocket.close":
                await self.close()
                return int(event["code"])
            self.frames.append(json.loads(event["text"]))

    async def ask(self, action: str, **data: Any) -> dict[str, Any]:
        """Send an action and return its reply, whatever it says."""
        self._refs += 1
        ref = str(self._refs)
        await self.send({"action": action, "data": data, "ref": ref})
        while True:
            frame = await self.receive()
            if frame.get("ref") == ref:
                return frame

    async def join(
        self, room: Room | str, *, since: tuple[str, int] | None = None
    ) -> dict[str, Any]:
        """Join a room, after an epoch and seq where given, and return the reply: `joined`, or `error`."""
        data: dict[str, Any] = {"room": room.name if isinstance(room, Room) else room}
        if since is not None:
            data["since"] = {"epoch": since[0], "seq": since[1]}
        return await self.ask("join", **data)

    async def hello(self, **data: Any) -> None:
        """Say what this client can do, and wait until the server has taken it."""
        await self.send({"action": "hello", "data": {"protocol": 1, **data}})
        await self.ping()

    async def ack(self, count: int) -> None:
        """Acknowledge so many frames."""
        await self.send({"action": "ack", "data": {"n": count}})

    def stop_reading(self) -> None:
        """Be a slow reader: the server's sends do not end."""
        self._reads.clear()

    def read_again(self) -> None:
        self._reads.set()

    def _slow_down(self, application: Any) -> Any:
        async def slowed(scope: Any, receive: Any, send: Any) -> None:
            async def wait_and_send(event: Any) -> None:
                if not self._reads.is_set():
                    await self._reads.wait()
                await send(event)

            await application(scope, receive, wait_and_send)

        return slowed

    async def leave(self, room: Room | str) -> dict[str, Any]:
        """Leave a room and return the reply."""
        return await self.ask(
            "leave", room=room.name if isinstance(room, Room) else room
        )

    async def ping(self, **data: Any) -> dict[str, Any]:
        """Return the pong; everything that was sent before it has come by then."""
        return await self.ask("ping", **data)

    async def close(self, code: int = 1000) -> None:
        """Go away, and wait until the server has forgotten the connection."""
        if not self._communicator.future.done():
            await self._communicator.send_input(
                {"type": "websocket.disconnect", "code": code}
            )
        await self._communicator.wait(TIMEOUT_S)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()


async def connect(
    application: Any,
    *,
    user: AbstractBaseUser | None = None,
    headers: Headers = (),
    path: str = "/ws/",
) -> Connection:
    """Return a connection that has been welcomed; `user` is logged in by a real session.

    Raises:
        AssertionError: the server did not welcome it. For such tests use `Connection`, `open()` and `expect_close()`.
    """
    cookie = [await run_query(make_session_cookie, user)] if user else []
    connection = Connection(application, path=path, headers=[*headers, *cookie])
    if not await connection.open():
        raise AssertionError("The server refused the handshake.")
    connection.connection_id = (await connection.expect("connected"))["data"][
        "connection_id"
    ]
    return connection


class Faults:
    """What goes wrong between the broker and this event loop's hub, from here on."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._pass_on = self._hub.on_event
        self._dropped = self._repeated = 0
        self._held: list[dict[str, Any]] | None = None

    def drop(self, count: int = 1) -> None:
        """Lose the next events of rooms without a sign."""
        self._dropped = count

    def repeat(self, count: int = 1) -> None:
        """Bring the next events twice."""
        self._repeated = count

    def hold(self) -> None:
        """Keep back all events until `release`."""
        self._held = self._held or []

    def release(self, *, in_reverse: bool = False) -> int:
        """Let go what was kept back, and return how many events that were."""
        held, self._held = self._held or [], None
        for event in reversed(held) if in_reverse else held:
            self._pass_on(event)
        return len(held)

    def take(self, event: dict[str, Any]) -> None:
        """Stand in for the hub's own `on_event`."""
        if event.get("type") != "room.frames":
            self._pass_on(event)
        elif self._held is not None:
            self._held.append(event)
        elif self._dropped:
            self._dropped -= 1
        else:
            self._pass_on(event)
            if self._repeated:
                self._repeated -= 1
                self._pass_on(event)


@contextmanager
def faults() -> Iterator[Faults]:
    """Make events on their way to the hub go wrong as the test says; needs a running event loop."""
    made = Faults()
    with patch.object(get_hub(), "on_event", made.take):
        yield made


@contextmanager
def broker_gone() -> Iterator[None]:
    """Have nothing reach the broker and nothing come from it, in this process."""

    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise ConnectionError("The broker is gone, as the test wanted.")

    async def arefuse(*args: Any, **kwargs: Any) -> Any:
        refuse(*args, **kwargs)

    with (
        patch.object(SenderHistory, "publish", refuse),
        patch.object(HubHistory, "_call", arefuse),
        patch.object(Uplink, "_probe", arefuse),
        patch.object(get_hub(), "on_event", lambda _event: None),
    ):
        yield


class VirtualClock:
    """The running event loop's clock: timers fire when the test turns it, and real time goes on beside it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = self._loop.time
        self._ahead_s = 0.0

    def time(self) -> float:
        return self._read() + self._ahead_s

    async def advance(self, seconds: float) -> None:
        """Let so much time pass at once, and run what is due."""
        self._ahead_s += seconds
        for _ in range(TURNS):
            await asyncio.sleep(0)


@contextmanager
def virtual_clock() -> Iterator[VirtualClock]:
    """Take over the clock of the running event loop; not that of threads."""
    clock = VirtualClock()
    with patch.object(asyncio.get_running_loop(), "time", clock.time):
        yield clock
