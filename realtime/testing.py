"""Tools for every app's tests: a connection that waits for replies, and a look at what is published."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser

from realtime.publishing import Publication, observe
from realtime.rooms import Room

TIMEOUT_S = 5.0

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
        self._communicator = WebsocketCommunicator(
            application, path, headers=list(headers)
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

    async def join(self, room: Room | str) -> dict[str, Any]:
        """Join a room and return the reply: `joined`, or `error`."""
        return await self.ask(
            "join", room=room.name if isinstance(room, Room) else room
        )

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
    cookie = [await sync_to_async(make_session_cookie)(user)] if user else []
    connection = Connection(application, path=path, headers=[*headers, *cookie])
    if not await connection.open():
        raise AssertionError("The server refused the handshake.")
    connection.connection_id = (await connection.expect("connected"))["data"][
        "connection_id"
    ]
    return connection
