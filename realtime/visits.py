"""A user's stay over one connection: the rooms that it is in, and whether it may stay there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from realtime.codes import ErrorCode
from realtime.exceptions import FrameError, PausedError, UnknownRoomError
from realtime.history import Position
from realtime.hub import Hub
from realtime.keys import is_still_valid, is_within_scopes
from realtime.links import Link
from realtime.messages import Left, encode_frame
from realtime.queries import run_query
from realtime.rooms import Room, get_room
from realtime.sessions import User, get_current_user, is_active

logger = logging.getLogger(__name__)

JOIN_AGAIN_AFTER_MS = 2_000


class Visit:
    """One connection's rooms, by the right of its user."""

    __slots__ = ("_hub", "_link", "_scope", "rooms", "user")

    def __init__(
        self, scope: Mapping[str, Any], user: User, *, hub: Hub, link: Link
    ) -> None:
        self.user = user
        self.rooms: dict[str, Room] = {}
        self._scope, self._hub, self._link = scope, hub, link

    async def join(
        self,
        name: str,
        *,
        max_rooms: int,
        ref: str | None = None,
        since: Position | None = None,
    ) -> None:
        """Join a room and answer; joining again answers again.

        Raises:
            FrameError: with unknown_room, too_many_rooms, or internal while live updates are paused.
        """
        if name not in self.rooms and len(self.rooms) >= max_rooms:
            raise FrameError(
                ErrorCode.TOO_MANY_ROOMS,
                f"Expected at most {max_rooms} rooms, got one more.",
                ref=ref,
                room=name,
            )
        room = self.rooms.get(name) or await self._find(name, ref=ref)
        try:
            await self._hub.join(
                self._link, room, ref=ref, since=since, user=self.user.get_username()
            )
        except PausedError as error:
            fault = uuid4().hex[:12]
            logger.info("%s: %s could not be joined: %s", fault, name, error)
            details = {"id": fault, "retry_after_ms": JOIN_AGAIN_AFTER_MS}
            raise FrameError(
                ErrorCode.INTERNAL, str(error), ref=ref, room=name, details=details
            ) from error
        if name in self._link.rooms:
            self.rooms[name] = room

    def leave(self, name: str) -> None:
        """Leave a room; does nothing where it was not joined."""
        if self.rooms.pop(name, None):
            self._hub.leave(self._link, name)

    async def reauthorize(self, on_logout: Callable[[], None]) -> None:
        """Look again whether the user is logged in, and leave the rooms that are no longer theirs."""
        try:
            if not await is_still_valid(self._scope):
                on_logout()
                return
            # By a key there is no session; the scope has the user as it is now.
            known = self._scope.get("user") or self.user
            user = await get_current_user(self._scope, known)
            if not is_active(user) or user.pk != self.user.pk:
                on_logout()
                return
            self.user = user
            for name, room in tuple(self.rooms.items()):
                if not await self._may_join(room):
                    self.leave(name)
                    self._link.reply(encode_frame(Left(room=name), room=name))
        except Exception:
            # It is asked again; a database that is busy must not log everybody out.
            logger.exception("A connection could not be authorized again")

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
        if not is_within_scopes(self._scope, room.name):
            return False
        # In a thread of its own: the shared one may be busy with another connection's query.
        return await run_query(room.may_join, self.user)
