"""Who is in a room, over all processes.

Each process writes how many members it has, and whom where the room announces them, under a name of its own, and again before that
expires. What a killed process wrote is removed by whoever sees it first, within a minute.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any
from uuid import uuid4

from redis.exceptions import RedisError

from realtime.history import HubHistory
from realtime.links import Link
from realtime.messages import MemberJoined, MemberLeft, Message
from realtime.publishing import publish
from realtime.rooms import Room, get_room
from realtime.streams import Stream

logger = logging.getLogger(__name__)

WRITE_AFTER_S = 0.2
"""What changes in between is written together."""
WRITE_EVERY_S = 20.0
EXPIRES_MS = 45_000


class Presence:
    """The members of this process's rooms."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._name = uuid4().hex
        self._streams = streams
        self._changed: set[str] = set()
        self._written_at = 0.0

    def enter(self, stream: Stream, link: Link, user: str) -> None:
        """Note a connection before it is admitted."""
        if link in stream.users:
            return
        is_first = user not in stream.users.values() and user not in stream.other_users
        stream.users[link] = user
        self._changed.add(stream.name)
        if is_first:
            _announce(stream.room, MemberJoined(user=user))

    def leave(self, stream: Stream, link: Link) -> None:
        """Note that a connection leaves."""
        user = stream.users.pop(link, "")
        self._changed.add(stream.name)
        if user not in stream.users.values() and user not in stream.other_users:
            _announce(stream.room, MemberLeft(user=user))

    def read(self, stream: Stream, members: Mapping[str, str]) -> None:
        """Take what the processes wrote of a room."""
        others = [text for name, text in members.items() if name != self._name]
        stream.others, stream.other_users = _sum_up(others)

    @property
    def has_changed(self) -> bool:
        return bool(self._changed)

    async def keep(self, history: HubHistory) -> None:
        """Write what changed, and from time to time everything, and learn of the other processes.

        Raises:
            RedisError, OSError: the broker does not answer; it is all written the next time.
        """
        now = monotonic()
        is_due = now - self._written_at >= WRITE_EVERY_S
        names = list(set(self._streams) if is_due else set()) + [
            name for name in self._changed if not is_due or name not in self._streams
        ]
        if is_due:
            self._written_at = now
        if not names:
            return
        self._changed.clear()
        try:
            found = await history.keep_members(
                self._name, {name: self._describe(name) for name in names}, EXPIRES_MS
            )
        except (RedisError, OSError):
            self._changed.update(names)
            self._written_at = 0.0
            raise
        for name, (others, gone) in found.items():
            if stream := self._streams.get(name):
                stream.others, stream.other_users = _sum_up(others)
            self._announce_gone(name, gone)

    def _describe(self, name: str) -> str:
        stream = self._streams.get(name)
        if stream is None or not stream.links:
            return ""
        users = Counter(stream.users.values()) if stream.room.announces_members else {}
        return f"{len(stream.links)} {json.dumps(users)}"

    def _announce_gone(self, name: str, gone: Iterable[str]) -> None:
        """Tell who left with a process that was killed."""
        _, users = _sum_up(gone)
        stream = self._streams.get(name)
        for user in users:
            if stream is None or (
                user not in stream.users.values() and user not in stream.other_users
            ):
                _announce(get_room(name), MemberLeft(user=user))


def _sum_up(texts: Iterable[str]) -> tuple[int, frozenset[str]]:
    count, users = 0, set()
    for text in texts:
        _, number, names = text.split(" ", 2)
        count += int(number)
        users.update(json.loads(names))
    return count, frozenset(users)


def _announce(room: Room, message: Message) -> None:
    if room.announces_members:
        publish(room, message)


async def write_soon(presence: Presence, history: Any) -> None:
    """Write what changed, a moment later; a broker that is away hears of it with the next probe."""
    await asyncio.sleep(WRITE_AFTER_S)
    try:
        await presence.keep(history)
    except (RedisError, OSError) as error:
        logger.debug("Members were not written: %r", error)
