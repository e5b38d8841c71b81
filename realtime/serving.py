"""What a socket and a stream of events have in common: how a connection is greeted, looked at again, and told why it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from realtime.codes import COMES_BACK, CloseCode
from realtime.conf import RealtimeSettings
from realtime.hub import Guest, Hub
from realtime.links import Link
from realtime.messages import Bye, Connected, Limits, Message, Ping, encode_frame
from realtime.metrics import CLOSED
from realtime.sessions import User, get_user_key
from realtime.visits import Visit


class ServedConnection:
    """One connection of a user. Whoever serves it sets the attributes without a value, and says how it ends."""

    _hub: Hub
    _link: Link
    _settings: RealtimeSettings
    _user: User
    _visit: Visit

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection_id = uuid4().hex
        self._tasks: set[asyncio.Task[None]] = set()
        self._checked_at = 0.0

    async def _end(self, code: CloseCode, message: str, *, after_ms: int = 0) -> None:
        """Say why and close."""
        raise NotImplementedError

    def _enter(self) -> None:
        """Join the hub's connections, and welcome the client."""
        guest = Guest(
            self._link, get_user_key(self._user), self._recheck, self._dismiss
        )
        self._hub.add(guest)
        self._checked_at = monotonic()
        self._reply(
            Connected(
                connection_id=self.connection_id,
                heartbeat_s=self._settings.heartbeat_s,
                server_time=datetime.now(UTC).isoformat(timespec="microseconds"),
                user=self._user.get_username(),
                limits=Limits(
                    max_frame_bytes=self._settings.max_frame_bytes,
                    max_rooms=self._settings.max_rooms,
                    frames_per_s=self._settings.frames_per_s,
                ),
            )
        )

    def _reply(
        self, message: Message, *, room: str | None = None, ref: str | None = None
    ) -> None:
        self._link.reply(encode_frame(message, room=room, ref=ref))

    def _beat(self) -> None:
        self._reply(Ping())
        if monotonic() - self._checked_at >= self._settings.reauthorize_s:
            self._checked_at = monotonic()
            self._recheck()

    def _recheck(self) -> None:
        self._spawn(self._visit.reauthorize(self._log_out))

    def _log_out(self) -> None:
        self._spawn(self._end(CloseCode.NOT_LOGGED_IN, "You are logged out."))

    def _overflow(self) -> None:
        self._spawn(
            self._end(CloseCode.TOO_SLOW, "Messages came faster than they were read.")
        )

    async def _dismiss(self, after_ms: int) -> None:
        await self._end(
            CloseCode.RESTART, "The server restarts; come back.", after_ms=after_ms
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()


def make_bye(code: CloseCode, message: str, *, after_ms: int) -> str:
    """Return the last frame of a connection, and count its end."""
    CLOSED.labels(str(int(code))).inc()
    return encode_frame(
        Bye(code=code, reconnect=code in COMES_BACK, after_ms=after_ms, message=message)
    )
