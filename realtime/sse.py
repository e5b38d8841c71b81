"""The same rooms over HTTP, as Server-Sent Events: for proxies without WebSockets, and for `curl -N`.

Source: HTML Living Standard, 9.2.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.contrib.auth.models import AnonymousUser

from realtime.codes import CloseCode, ErrorCode
from realtime.conf import get_settings
from realtime.exceptions import FrameError
from realtime.history import Position
from realtime.hub import get_hub
from realtime.limits import seats
from realtime.links import Link
from realtime.messages import Error
from realtime.metrics import CONNECTIONS
from realtime.serving import ServedConnection, make_bye
from realtime.sessions import get_user_key, is_active
from realtime.transports import AsgiTransport, Send
from realtime.visits import Visit

logger = logging.getLogger(__name__)

MAX_QUERY_BYTES = 8 * 1024
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would keep the stream back until its buffer is full.
    (b"x-accel-buffering", b"no"),
]


class EventsTransport(AsgiTransport):
    """Writes frames as events, each with the positions of all rooms after it."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._positions: dict[str, tuple[str, int]] = {}

    def _make_event(self, text: str) -> dict[str, Any]:
        self._follow(json.loads(text))
        ids = ",".join(
            f"{room}={epoch}:{seq}" for room, (epoch, seq) in self._positions.items()
        )
        head = f"id: {ids}\n" if ids else ""
        # JSON has no line break of its own.
        return {
            "type": "http.response.body",
            "body": f"{head}data: {text}\n\n".encode(),
            "more_body": True,
        }

    async def _close(self, code: int) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def wait_until_read(self, leaving: asyncio.Task[None]) -> None:
        """Wait for a reader that stalls to read on or to leave; until then it keeps its seat, so that there are not too many of them."""
        if self._task is None:
            return
        await asyncio.wait([leaving, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not leaving.done():
            await self._close(CloseCode.TOO_SLOW)

    def _follow(self, frame: dict[str, Any]) -> None:
        room = str(frame.get("room"))
        if frame["type"] == "joined":
            self._positions[room] = (frame["data"]["epoch"], frame["data"]["seq"])
        elif frame["type"] == "left":
            self._positions.pop(room, None)
        elif "seq" in frame and room in self._positions:
            self._positions[room] = (self._positions[room][0], frame["seq"])


class EventStream(ServedConnection):
    """One response that does not end."""

    def __init__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:
        super().__init__()
        self._scope, self._receive, self._send = scope, receive, send
        self._settings = get_settings()
        self._user = scope.get("user") or AnonymousUser()
        self._transport = EventsTransport(send)
        self._link = Link(self._transport, on_overflow=self._overflow)
        self._hub = get_hub()
        self._visit = Visit(scope, self._user, hub=self._hub, link=self._link)
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Answer, and serve until either side ends it."""
        rooms, since = self._read_query()
        if refusal := self._find_refusal(rooms):
            await _answer(self._send, *refusal)
            return
        key = get_user_key(self._user)
        if not seats.take(key, limit=self._settings.max_connections_per_user):
            await _answer(self._send, 429, "Too many connections are open.")
            return
        CONNECTIONS.labels("events").inc()
        try:
            await self._send(
                {"type": "http.response.start", "status": 200, "headers": HEADERS}
            )
            self._enter()
            await self._serve(rooms, since)
        finally:
            CONNECTIONS.labels("events").dec()
            seats.give_back(key)
            self._hub.remove(self._link)
            self._transport.discard()
            self._cancel_tasks()

    async def _serve(self, rooms: list[str], since: Mapping[str, Position]) -> None:
        leaving = asyncio.create_task(self._wait_for_disconnect())
        self._tasks.add(leaving)
        for name in rooms:
            await self._join(name, since.get(name))
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(self._settings.heartbeat_s):
                    await self._ended.wait()
            except TimeoutError:
                self._beat()
        await self._transport.wait_until_read(leaving)

    async def _join(self, name: str, since: Position | None) -> None:
        try:
            await self._visit.join(
                name, max_rooms=self._settings.max_rooms, since=since
            )
        except FrameError as error:
            self._reply(
                Error(
                    code=ErrorCode(error.code),
                    message=error.message,
                    details=error.details,
                ),
                room=name,
            )
            if error.code == ErrorCode.INTERNAL:
                # There is no way to ask again within one response.
                await self._end(CloseCode.SERVER_FAULT, error.message)

    async def _end(self, code: CloseCode, message: str, *, after_ms: int = 0) -> None:
        if self._ended.is_set():
            return
        self._hub.remove(self._link)
        bye = make_bye(code, message, after_ms=after_ms)
        await self._transport.close(code, last=bye)
        self._ended.set()

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._ended.set()

    def _read_query(self) -> tuple[list[str], dict[str, Position]]:
        query = self._scope["query_string"][: MAX_QUERY_BYTES + 1]
        values = parse_qs(query.decode("latin-1"))
        rooms = list(dict.fromkeys(values.get("room", [])))
        sent = [
            value.decode("latin-1")
            for name, value in self._scope["headers"]
            if name == b"last-event-id"
        ]
        return rooms, parse_positions((sent or values.get("since", [""]))[-1])

    def _find_refusal(self, rooms: list[str]) -> tuple[int, str] | None:
        if self._scope["method"] != "GET":
            return 405, "Expected GET."
        if self._hub.is_draining:
            return 503, "The server restarts; come back."
        if not is_active(self._user):
            return 401, "Log in first."
        if len(self._scope["query_string"]) > MAX_QUERY_BYTES:
            return 414, f"Expected a query of at most {MAX_QUERY_BYTES} bytes."
        if not 0 < len(rooms) <= self._settings.max_rooms:
            return (
                400,
                f"Expected 1 to {self._settings.max_rooms} rooms as ?room=NAME, got {len(rooms)}.",
            )
        return None


def parse_positions(text: str) -> dict[str, Position]:
    """Return what `room=epoch:seq,...` says; what cannot be read is left out, so those rooms begin with a snapshot."""
    positions = {}
    for part in text.split(","):
        room, _, position = part.strip().rpartition("=")
        epoch, _, seq = position.partition(":")
        if (
            room
            and epoch
            and len(epoch) <= 40
            and seq.isascii()
            and seq.isdigit()
            and len(seq) < 16
        ):
            positions[room] = Position(epoch, int(seq))
    return positions


async def _answer(send: Send, status: int, message: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{message}\n".encode()})


async def events_application(scope: Any, receive: Any, send: Any) -> None:
    """Serve `GET /events/?room=downloads&room=queue`; the scope needs a user."""
    await EventStream(scope, receive, send).run()
