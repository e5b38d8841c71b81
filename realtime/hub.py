"""One per process and event loop: receives each room's messages once and hands them to the local connections.

The hub owns one channel of the layer and puts it into a group while a room of it has a member here. What the channel brings is only
believed where it follows what came before; the rest is fetched from the room's history, and where that does not reach back everybody
in the room gets a snapshot. Connections stay open through any outage.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from random import uniform
from time import time
from typing import Any

from redis.exceptions import RedisError

from realtime.exceptions import PausedError
from realtime.feeds import Feed
from realtime.history import HubHistory, Position, Snapshot
from realtime.links import Link
from realtime.messages import Message, SystemInfo, SystemWarning, encode_frame
from realtime.metrics import DELIVERY_S, REFILLED, RESYNCED
from realtime.outbox import Item
from realtime.presence import Presence, write_soon
from realtime.rooms import Room
from realtime.streams import GapError, Stream
from realtime.uplink import Uplink, cancel_all

logger = logging.getLogger(__name__)

PAUSED = "Live updates are paused. They continue by themselves."
CONTROL_GROUP = "realtime.control"
EVERYBODY = "*"
RECHECK_AGAIN_S = 1.0
"""A logout is told before its session is gone."""
JOIN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 2.0
READ_AGAIN_S = 0.05
UNDERWAY_S = 0.25
"""How long a message may be on its way before it counts as lost."""
EMPTY_TIMEOUT_S = 4.0
"""For clients to read what waits for them; the servers give 6 s in all, and a busy machine needs some of that to say bye to thousands."""
MAX_SPREAD_MS = 5_000
"""Over which everybody comes back after a restart."""


@dataclass(frozen=True, eq=False, slots=True)
class Guest:
    """A connection, as those who end it know it."""

    link: Link
    user_key: str
    """Of whoever connected, as `sessions.get_user_key` makes it."""
    recheck: Callable[[], None]
    """Look again whether it may stay."""
    dismiss: Callable[[int], Awaitable[None]]
    """Send it away; it may return after so many milliseconds."""
    opened_at: float = field(default_factory=time)
    """Seconds since 1970."""


class Hub:
    """All connections of this process and event loop, by room."""

    def __init__(self) -> None:
        self.guests: dict[Link, Guest] = {}
        self.streams: dict[str, Stream] = {}
        """By room name."""
        self.uplink = Uplink(self)
        self.presence = Presence(self.streams)
        self.is_draining = False
        self._history: HubHistory | None = None
        self._writer: asyncio.Task[None] | None = None

    @property
    def history(self) -> HubHistory:
        if self._history is None:
            self._history = HubHistory(timeout_s=READ_TIMEOUT_S)
        return self._history

    def add(self, guest: Guest) -> None:
        """Take a connection in; from here on it hears of outages."""
        self.guests[guest.link] = guest
        if len(self.guests) == 1:
            self.uplink.start()
            control = self.uplink.get_feed(CONTROL_GROUP)
            control.is_pinned = True
            self.uplink.settle(control)

    def remove(self, link: Link) -> None:
        """Let a connection go, out of all its rooms."""
        self.guests.pop(link, None)
        for name in tuple(link.rooms):
            self.leave(link, name)
        link.close()

    async def join(
        self,
        link: Link,
        room: Room,
        *,
        ref: str | None = None,
        since: Position | None = None,
        user: str = "",
    ) -> None:
        """Put a connection into a room and answer it; whatever is published after the position in the answer arrives.

        Raises:
            PausedError: the broker is known to be away, or did not answer within 5 s.
        """
        if not self.uplink.is_healthy:
            raise PausedError(PAUSED)
        stream = self._open(room)
        stream.waiting += 1
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                missed = await self._find_missed(stream, since)
            if link in self.guests:
                link.rooms.add(room.name)
                self.presence.enter(stream, link, user)
                self._write_members()
                stream.admit(link, ref=ref, missed=missed)
        except (TimeoutError, RedisError, OSError) as error:
            raise PausedError(PAUSED) from error
        finally:
            stream.waiting -= 1
            self._settle(stream)

    def leave(self, link: Link, name: str) -> None:
        """Take a connection out of a room; does nothing where it is not in."""
        link.rooms.discard(name)
        stream = self.streams.get(name)
        if stream is not None and link in stream.links:
            stream.remove(link)
            self.presence.leave(stream, link)
            self._write_members()
            self._settle(stream)

    async def drain(self, *, timeout_s: float) -> None:
        """Send everybody away, each as soon as nothing waits for it, and let nobody in any more."""
        self.is_draining = True
        guests = tuple(self.guests.values())
        logger.info("%d connections are sent away", len(guests))
        await asyncio.gather(*(self._dismiss(guest, timeout_s) for guest in guests))
        with suppress(RedisError, OSError):
            await self.presence.keep(self.history)

    async def aclose(self) -> None:
        """End all tasks; for tests and shutdown."""
        await self.uplink.aclose()
        tasks = [stream.task for stream in self.streams.values() if stream.task]
        tasks += [self._writer] if self._writer else []
        await cancel_all(tasks)
        if self._history is not None:
            await self._history.aclose()
            self._history = None

    # Rooms

    def _open(self, room: Room) -> Stream:
        stream = self.streams.get(room.name)
        if stream is None:
            stream = self.streams[room.name] = Stream(room)
            feed = self.uplink.get_feed(room.group)
            feed.streams[room.name] = stream
            self.uplink.settle(feed)
            if feed.is_live:
                self._bring_up(stream)
        return stream

    def _settle(self, stream: Stream) -> None:
        if stream.is_wanted or self.streams.get(stream.name) is not stream:
            return
        del self.streams[stream.name]
        stream.close()
        if feed := self.uplink.feeds.get(stream.room.group):
            feed.streams.pop(stream.name, None)
            self.uplink.settle(feed)

    def _write_members(self) -> None:
        if not self._writer or self._writer.done():
            self._writer = asyncio.create_task(write_soon(self.presence, self.history))

    async def _find_missed(
        self, stream: Stream, since: Position | None
    ) -> Sequence[Item] | None:
        """Wait until the room can be joined, and return what came after `since`; None where only a snapshot can help."""
        looked = False
        while True:
            await stream.ready.wait()
            if since is None:
                return None
            missed = stream.get_since(since)
            if missed is not None or since.epoch != stream.position.epoch:
                return missed
            if since.seq > stream.position.seq and not looked:
                # Whoever comes from another process may have seen more than this one yet.
                looked = True
                self._bring_up(stream)
                continue
            older = await self.history.get_since(stream.name, since)
            if stream.ready.is_set():
                return _join_up(older, stream)

    def _bring_up(self, stream: Stream) -> None:
        """Find out where the room is, and what is missing here."""
        stream.ready.clear()
        if stream.task is None:
            stream.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: Stream) -> None:
        pause_s = 0.0
        try:
            while not stream.ready.is_set():
                await asyncio.sleep(pause_s)
                pause_s = READ_AGAIN_S
                await self._refill(stream)
                with suppress(GapError):
                    stream.resume()
        except Exception as error:  # noqa: BLE001 - an edge: whatever is wrong with the broker, the heal begins anew
            self.uplink.pause(error)
        finally:
            stream.task = None

    async def _refill(self, stream: Stream) -> None:
        if stream.position.epoch:
            missed = await self.history.get_since(stream.name, stream.position)
            if missed is not None:
                REFILLED.inc(len(missed))
                stream.take(missed)
                return
        snapshot = await self.history.get_snapshot(stream.name)
        if (
            snapshot.position.epoch == stream.position.epoch
            and snapshot.position.seq < stream.position.seq
        ):
            # The broker came back with an older state of itself: its numbers would be given twice.
            await self.history.restart(stream.name, stream.position.epoch)
            snapshot = await self.history.get_snapshot(stream.name)
        if not stream.position.epoch:
            stream.load(snapshot)
            self.presence.read(stream, snapshot.members)
            return
        await self._begin_anew(stream, snapshot)

    async def _begin_anew(self, stream: Stream, snapshot: Snapshot) -> None:
        """Put everybody in anew; where history has all of another stream they get it from its beginning, so that nothing in it is lost."""
        RESYNCED.inc()
        beginning = Position(snapshot.position.epoch, 0)
        messages = None
        if beginning.epoch != stream.position.epoch:
            messages = await self.history.get_since(stream.name, beginning)
        if messages is not None:
            told = {item.mark[1:] for item in messages}
            older = {k: v for k, v in snapshot.states.items() if k not in told}
            snapshot = snapshot._replace(position=beginning, states=older)
        stream.load(snapshot)
        self.presence.read(stream, snapshot.members)
        stream.tell_anew()
        stream.take(messages or ())

    # What the uplink tells

    def on_event(self, event: dict[str, Any]) -> None:
        if event.get("type") == "room.frames":
            DELIVERY_S.observe(max(time() - event["at"] / 1000, 0))
            for name, *batch in event["batches"]:
                if stream := self.streams.get(name):
                    try:
                        stream.receive(batch)
                    except GapError as gap:
                        logger.info("Room %s: %s", name, gap)
                        self._bring_up(stream)
        elif event.get("type") == "room.recheck":
            self._recheck_twice(event["user_key"])
        else:
            logger.warning(
                "The hub's channel got an event that it does not know: %.200r", event
            )

    def on_live(self, feed: Feed) -> None:
        if feed.group == CONTROL_GROUP:
            # What was revoked before was told to nobody here.
            self._recheck_twice(EVERYBODY, opened_before=time())
        for stream in feed.streams.values():
            self._bring_up(stream)

    def on_outage(self) -> None:
        self._tell(SystemWarning(message=PAUSED, details={"live": False}))

    def _recheck_twice(self, user_key: str, *, opened_before: float = inf) -> None:
        self._recheck(user_key, opened_before)
        loop = asyncio.get_running_loop()
        loop.call_later(RECHECK_AGAIN_S, self._recheck, user_key, opened_before)

    def _recheck(self, user_key: str, opened_before: float) -> None:
        for guest in tuple(self.guests.values()):
            is_meant = user_key in (EVERYBODY, guest.user_key)
            if is_meant and guest.opened_at <= opened_before:
                guest.recheck()

    async def on_probe(self, *, is_back: bool) -> None:
        if is_back:
            tasks = [stream.task for stream in self.streams.values() if stream.task]
            if tasks:
                await asyncio.wait(tasks, timeout=READ_TIMEOUT_S)
            self._tell(
                SystemInfo(message="Live updates continue.", details={"live": True})
            )
        try:
            await self._compare()
            await self.presence.keep(self.history)
        except (RedisError, OSError, TimeoutError) as error:
            self.uplink.pause(error)

    async def _compare(self) -> None:
        """Find rooms whose messages stopped coming without a sign."""
        suspects = await self._list_behind(self.streams.values())
        if suspects:
            await asyncio.sleep(UNDERWAY_S)
            for stream in await self._list_behind(suspects):
                logger.info("Room %s is behind its history", stream.name)
                self._bring_up(stream)

    async def _list_behind(self, streams: Iterable[Stream]) -> list[Stream]:
        ready = [stream for stream in streams if stream.ready.is_set()]
        if not ready:
            return []
        before = [stream.position for stream in ready]
        found = await self.history.get_positions([stream.name for stream in ready])
        return [
            stream
            for stream, was, there in zip(ready, before, found, strict=True)
            if stream.ready.is_set()
            and (
                there.epoch != stream.position.epoch
                or there.seq < was.seq
                or there.seq > stream.position.seq
            )
        ]

    def _tell(self, message: Message) -> None:
        frame = encode_frame(message)
        for link in tuple(self.guests):
            link.reply(frame)

    async def _dismiss(self, guest: Guest, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await guest.link.wait_until_empty()
        await guest.dismiss(int(uniform(0, MAX_SPREAD_MS)))  # noqa: S311 - spreads load, guards nothing


def _join_up(older: list[Item] | None, stream: Stream) -> list[Item] | None:
    """Return what was read and what came since, up to where the room is now; None where that leaves a hole."""
    if not older:
        return None
    known = [item for item in older if item.seq <= stream.position.seq]
    rest = stream.get_since(Position(stream.position.epoch, known[-1].seq))
    return None if rest is None else known + rest


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def get_hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [other for other in _hubs if other.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
    return _hubs[loop]


def get_hubs() -> list[Hub]:
    """Return all hubs of this process: one where there is one event loop."""
    return list(_hubs.values())


async def drain_all() -> None:
    """Send all connections of this event loop away with 4503, to come back spread over 5 s; for a server's shutdown."""
    await get_hub().drain(timeout_s=EMPTY_TIMEOUT_S)
