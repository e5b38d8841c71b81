"""One connection: reads its frames, answers them, keeps its heart beating, and ends it with a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import AnonymousUser

from realtime.codes import COMES_BACK, CloseCode, ErrorCode
from realtime.conf import RealtimeSettings, get_settings
from realtime.exceptions import FrameError, PausedError, UnknownRoomError
from realtime.frames import JoinFrame, LeaveFrame, PingFrame, parse_frame
from realtime.heartbeats import Heartbeat
from realtime.hub import get_hub
from realtime.limits import frame_buckets, seats
from realtime.messages import (
    Bye,
    Connected,
    Error,
    Joined,
    Left,
    Limits,
    Message,
    Ping,
    Pong,
    encode_frame,
)
from realtime.origins import is_allowed_origin
from realtime.rooms import Room, get_room
from realtime.sessions import User, get_current_user, is_active
from realtime.transports import Transport

logger = logging.getLogger(__name__)

MAX_INVALID_FRAMES = 5
INVALID = {ErrorCode.BAD_JSON, ErrorCode.BAD_FRAME, ErrorCode.TOO_LARGE}
JOIN_AGAIN_AFTER_MS = 2_000
COME_BACK_AFTER_MS = 5_000
CLOSE_GRACE_S = 2.0
"""For the server to report the end of a connection that was closed."""


class RoomConsumer(AsyncJsonWebsocketConsumer):
    """A browser's connection to any number of rooms.

    It has no channel of its own: the hub writes to its transport, so no message passes through `dispatch`. It accepts everybody first,
    since a refused handshake tells a browser nothing, and says `bye` with a reason before it closes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection_id = uuid4().hex
        self._rooms: dict[str, Room] = {}
        self._key = ""
        """Of the user, once a seat is taken."""
        self._invalid = self._refused = 0
        """Frames in a row."""
        self._heartbeat: Heartbeat | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the connection; whichever way it ends, nothing of it is left behind."""
        self.scope, self.base_send = scope, send
        self.transport = Transport(send, on_overflow=self._overflow)
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
            for task in self._tasks:
                task.cancel()

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
        self._settings: RealtimeSettings = get_settings()
        self._user: User = self.scope.get("user") or AnonymousUser()
        if not is_allowed_origin(self.scope):
            await self._end(
                CloseCode.FORBIDDEN, "This page's address may not connect here."
            )
        elif not is_active(self._user):
            await self._end(CloseCode.NOT_LOGGED_IN, "Log in first.")
        elif not seats.take(
            f"user:{self._user.pk}", limit=self._settings.max_connections_per_user
        ):
            await self._end(
                CloseCode.TOO_MANY,
                "Too many connections are open.",
                after_ms=COME_BACK_AFTER_MS,
            )
        else:
            self._key = f"user:{self._user.pk}"
            self._hub.add(self.transport)
            self._welcome()
            self._checked_at = monotonic()
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

    async def _act(self, frame: Any) -> None:
        try:
            if isinstance(frame, JoinFrame):
                await self._join(frame)
            elif isinstance(frame, LeaveFrame):
                self._leave(frame.data.room)
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

    async def _join(self, frame: JoinFrame) -> None:
        name, ref = frame.data.room, frame.ref
        if name not in self._rooms:
            if len(self._rooms) >= self._settings.max_rooms:
                raise FrameError(
                    ErrorCode.TOO_MANY_ROOMS,
                    f"Expected at most {self._settings.max_rooms} rooms, got one more.",
                    ref=ref,
                    room=name,
                )
            room = await self._find(name, ref=ref)
            try:
                await self._hub.join(self.transport, room)
            except PausedError as error:
                fault = uuid4().hex[:12]
                logger.info(
                    "%s: connection %s could not join %s: %s",
                    fault,
                    self.connection_id,
                    name,
                    error,
                )
                details = {"id": fault, "retry_after_ms": JOIN_AGAIN_AFTER_MS}
                raise FrameError(
                    ErrorCode.INTERNAL, str(error), ref=ref, room=name, details=details
                ) from error
            self._rooms[name] = room
        self._reply(Joined(room=name), room=name, ref=ref)

    async def _find(self, name: str, *, ref: str | None) -> Room:
        try:
            room = get_room(name)
            if await self._may_join(room):
                return room
        except UnknownRoomError:
            pass
        # The same words for both, so that nobody can learn which rooms exist.
        raise FrameError(
            ErrorCode.UNKNOWN_ROOM,
            f"Expected a room that you may join, got {name!r}.",
            ref=ref,
        )

    async def _may_join(self, room: Room) -> bool:
        # In a thread of its own: the shared one may be busy with another connection's query.
        return await database_sync_to_async(room.may_join, thread_sensitive=False)(
            self._user
        )

    def _leave(self, name: str) -> None:
        if self._rooms.pop(name, None):
            self._hub.leave(self.transport, name)

    def _welcome(self) -> None:
        limits = Limits(
            max_frame_bytes=self._settings.max_frame_bytes,
            max_rooms=self._settings.max_rooms,
            frames_per_s=self._settings.frames_per_s,
        )
        self._reply(
            Connected(
                connection_id=self.connection_id,
                heartbeat_s=self._settings.heartbeat_s,
                server_time=datetime.now(UTC).isoformat(timespec="microseconds"),
                user=self._user.get_username(),
                limits=limits,
            )
        )

    def _reply(
        self, message: Message, *, room: str | None = None, ref: str | None = None
    ) -> None:
        self.transport.write(encode_frame(message, room=room, ref=ref))

    async def _slow_down(self, wait_ms: int) -> None:
        self._refused += 1
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

    def _beat(self) -> None:
        self._reply(Ping())
        if monotonic() - self._checked_at >= self._settings.reauthorize_s:
            self._checked_at = monotonic()
            self._spawn(self._reauthorize())

    async def _reauthorize(self) -> None:
        """Close a connection whose session ended or whose user was locked, and leave rooms that are no longer theirs."""
        try:
            user = await get_current_user(self.scope, self._user)
            if not is_active(user) or user.pk != self._user.pk:
                await self._end(CloseCode.NOT_LOGGED_IN, "You are logged out.")
                return
            self._user = user
            for name, room in tuple(self._rooms.items()):
                if not await self._may_join(room):
                    self._leave(name)
                    self._reply(Left(room=name), room=name)
        except Exception:
            # It is asked again; a database that is busy must not log everybody out.
            logger.exception(
                "Connection %s could not be authorized again", self.connection_id
            )

    # End

    def _silence(self) -> None:
        self._spawn(
            self._end(
                CloseCode.TOO_SLOW,
                f"No pong came within {self._settings.pong_timeout_s:g} s.",
            )
        )

    def _overflow(self) -> None:
        self._spawn(
            self._end(CloseCode.TOO_SLOW, "Messages came faster than they were read.")
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
        bye = Bye(
            code=code, reconnect=code in COMES_BACK, after_ms=after_ms, message=message
        )
        await self.transport.close(code, last=encode_frame(bye))
        if self._main is not None:
            # Some servers never report the end of a connection that does not read.
            self._spawn(self._interrupt(self._main))

    async def _interrupt(self, main: asyncio.Task[Any]) -> None:
        await asyncio.sleep(CLOSE_GRACE_S)
        main.cancel()

    def _release(self) -> None:
        self._hub.remove(self.transport)
        self._rooms.clear()
        if self._key:
            seats.give_back(self._key)
            self._key = ""
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
