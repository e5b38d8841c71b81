"""One connection: reads its frames, answers them, keeps its heart beating, and ends it with a reason."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any
from uuid import uuid4

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import AnonymousUser

from realtime.codes import CloseCode, ErrorCode
from realtime.conf import get_settings
from realtime.exceptions import FrameError
from realtime.frames import (
    AckFrame,
    HelloFrame,
    JoinFrame,
    LeaveFrame,
    PingFrame,
    parse_frame,
)
from realtime.heartbeats import Heartbeat
from realtime.history import Position
from realtime.hub import get_hub
from realtime.limits import frame_buckets, seats
from realtime.links import Link
from realtime.messages import Error, Left, Pong
from realtime.metrics import CONNECTIONS, REFUSED
from realtime.origins import is_allowed_origin
from realtime.serving import ServedConnection, make_bye
from realtime.sessions import get_user_key, is_active
from realtime.transports import make_transport
from realtime.visits import Visit

logger = logging.getLogger(__name__)

MAX_INVALID_FRAMES = 5
INVALID = {ErrorCode.BAD_JSON, ErrorCode.BAD_FRAME, ErrorCode.TOO_LARGE}
PROTOCOL = 1
ACK = re.compile(
    rb'\{\s*"action":\s*"ack",\s*"data":\s*\{\s*"n":\s*([0-9]{1,15})\s*\}\s*\}'
)
COME_BACK_AFTER_MS = 5_000
CLOSE_GRACE_S = 2.0
"""For the server to report the end of a connection that was closed."""


class RoomConsumer(ServedConnection, AsyncJsonWebsocketConsumer):
    """A browser's connection to any number of rooms.

    It has no channel of its own: the hub writes to its transport, so no message passes through `dispatch`. It accepts everybody first,
    since a refused handshake tells a browser nothing, and says `bye` with a reason before it closes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._key = ""
        """Of the user, once a seat is taken."""
        self._invalid = self._refused = 0
        """Frames in a row."""
        self._heartbeat: Heartbeat | None = None
        self._is_closing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection; whichever way it ends, nothing of it is left behind."""
        self.scope, self.base_send = scope, send
        self.transport = make_transport(scope, send)
        self._link = Link(self.transport, on_overflow=self._overflow)
        self._hub = get_hub()
        self._main = asyncio.current_task()
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        except asyncio.CancelledError:
            if not self._is_closing:
                raise
        finally:
            self._release()
            self.transport.discard()
            self._cancel_tasks()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle an event of the server; unlike the base class, without a thread hop to close old database connections."""
        try:
            await getattr(self, message["type"].replace(".", "_"))(message)
        except StopConsumer:
            raise
        except Exception:
            fault = uuid4().hex[:12]
            logger.exception("%s: connection %s failed", fault, self.connection_id)
            await self._end(
                CloseCode.SERVER_FAULT,
                f"The server made a mistake; its log has it as {fault}.",
            )

    async def connect(self) -> None:
        await self.accept()
        self._settings = get_settings()
        self._user = self.scope.get("user") or AnonymousUser()
        if self._hub.is_draining:
            await self._dismiss(COME_BACK_AFTER_MS)
        elif not is_allowed_origin(self.scope):
            await self._end(
                CloseCode.FORBIDDEN, "This page's address may not connect here."
            )
        elif not is_active(self._user):
            await self._end(CloseCode.NOT_LOGGED_IN, "Log in first.")
        elif not seats.take(
            get_user_key(self._user), limit=self._settings.max_connections_per_user
        ):
            await self._end(
                CloseCode.TOO_MANY,
                "Too many connections are open.",
                after_ms=COME_BACK_AFTER_MS,
            )
        else:
            self._key = get_user_key(self._user)
            self._visit = Visit(self.scope, self._user, hub=self._hub, link=self._link)
            CONNECTIONS.labels("websocket").inc()
            self._enter()
            self._heartbeat = Heartbeat(
                interval_s=self._settings.heartbeat_s,
                timeout_s=self._settings.pong_timeout_s,
                on_beat=self._beat,
                on_silence=self._silence,
            )

    async def websocket_disconnect(self, message: Any) -> None:
        raise StopConsumer

    async def receive(
        self,
        text_data: str | None = None,
        bytes_data: bytes | None = None,
        **kwargs: Any,
    ) -> None:
        """Check one frame and act on it; whatever is wrong with it becomes an `error` reply."""
        if self._is_closing:
            return
        if self._heartbeat is not None:
            self._heartbeat.heard()
        if text_data and self._take_ack(text_data.encode(errors="replace")):
            return
        if wait_ms := frame_buckets.take(
            self._key,
            per_s=self._settings.frames_per_s,
            burst=self._settings.frames_burst,
        ):
            await self._slow_down(wait_ms)
            return
        self._refused = 0
        try:
            frame = parse_frame(text_data, max_bytes=self._settings.max_frame_bytes)
            self._invalid = 0
            await self._act(frame)
        except FrameError as error:
            REFUSED.labels(error.code).inc()
            self._reply(
                Error(
                    code=ErrorCode(error.code),
                    message=error.message,
                    details=error.details,
                ),
                room=error.room,
                ref=error.ref,
            )
            self._invalid = self._invalid + 1 if error.code in INVALID else 0
            if self._invalid >= MAX_INVALID_FRAMES:
                await self._end(
                    CloseCode.INVALID_FRAMES,
                    f"{MAX_INVALID_FRAMES} frames in a row were not valid.",
                )

    def _take_ack(self, text: bytes) -> bool:
        """Take an acknowledgement in passing: they come in numbers, and those that are news are bounded by what was sent."""
        match = ACK.fullmatch(text)
        if match is None or not self._link.acknowledge(int(match[1])):
            return False
        if self._heartbeat is not None:
            self._heartbeat.heard()
        return True

    async def _act(self, frame: Any) -> None:
        try:
            if isinstance(frame, JoinFrame):
                since = frame.data.since
                await self._visit.join(
                    frame.data.room,
                    max_rooms=self._settings.max_rooms,
                    ref=frame.ref,
                    since=Position(since.epoch, since.seq) if since else None,
                )
            elif isinstance(frame, AckFrame):
                self._link.acknowledge(frame.data.n)
            elif isinstance(frame, HelloFrame):
                await self._greet(frame)
            elif isinstance(frame, LeaveFrame):
                self._visit.leave(frame.data.room)
                self._reply(
                    Left(room=frame.data.room), room=frame.data.room, ref=frame.ref
                )
            elif isinstance(frame, PingFrame):
                self._reply(Pong.model_validate(frame.data), ref=frame.ref)
        except FrameError:
            raise
        except Exception as error:
            fault = uuid4().hex[:12]
            logger.exception("%s: connection %s failed", fault, self.connection_id)
            message = f"The server made a mistake; its log has it as {fault}."
            raise FrameError(
                ErrorCode.INTERNAL, message, ref=frame.ref, details={"id": fault}
            ) from error

    async def _greet(self, frame: HelloFrame) -> None:
        hello = frame.data
        if hello.protocol != PROTOCOL:
            await self._end(
                CloseCode.UNKNOWN_VERSION,
                f"Expected protocol {PROTOCOL}, got {hello.protocol}.",
            )
        else:
            self._link.greet(acks=hello.acks, batch=hello.batch, max_hz=hello.max_hz)
            if hello.acks:
                self.transport.listen(self._take_ack)

    async def _slow_down(self, wait_ms: int) -> None:
        self._refused += 1
        REFUSED.labels(ErrorCode.RATE_LIMITED).inc()
        message = f"Expected at most {self._settings.frames_per_s:g} frames a second."
        self._reply(
            Error(
                code=ErrorCode.RATE_LIMITED,
                message=message,
                details={"retry_after_ms": wait_ms},
            )
        )
        if self._refused >= self._settings.frames_burst:
            await self._end(CloseCode.TOO_MANY, message, after_ms=COME_BACK_AFTER_MS)

    # End

    def _silence(self) -> None:
        self._spawn(
            self._end(
                CloseCode.TOO_SLOW,
                f"No pong came within {self._settings.pong_timeout_s:g} s.",
            )
        )

    async def _end(self, code: CloseCode, message: str, *, after_ms: int = 0) -> None:
        """Say why and close. The connection is out of all rooms at once, however long the close takes."""
        if self._is_closing:
            return
        self._is_closing = True
        self._release()
        logger.info(
            "Connection %s closes with %d: %s", self.connection_id, code, message
        )
        bye = make_bye(code, message, after_ms=after_ms)
        await self.transport.close(code, last=bye)
        if self._main is not None:
            # Some servers never report the end of a connection that does not read.
            self._spawn(self._interrupt(self._main))

    async def _interrupt(self, main: asyncio.Task[Any]) -> None:
        await asyncio.sleep(CLOSE_GRACE_S)
        main.cancel()

    def _release(self) -> None:
        self._hub.remove(self._link)
        if self._key:
            seats.give_back(self._key)
            self._key = ""
            CONNECTIONS.labels("websocket").dec()
        if self._heartbeat is not None:
            self._heartbeat.stop()
