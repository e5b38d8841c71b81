"""The hub's one channel of the layer: which groups it is in, and whether anything comes through.

It takes no layer's word for anything: a subscription counts once an event has come through it, and a probe to its own channel every
few seconds finds a broker that is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol
from uuid import uuid4

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import BaseChannelLayer, channel_layers

from realtime.feeds import Feed

logger = logging.getLogger(__name__)

CANCEL_AGAIN_S = 0.1
EVENTS_AT_A_TIME = 100
"""Before other coroutines get their turn."""


class Listener(Protocol):
    """What is told of the channel's events and outages."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Take an event of a group."""

    def on_live(self, feed: Feed) -> None:
        """Learn that a group's events come through from here on; before, some may have been lost."""

    def on_outage(self) -> None:
        """Learn that nothing comes through."""

    async def on_probe(self, *, is_back: bool) -> None:
        """Learn that the broker answered, after an outage where `is_back`."""


class Uplink:
    """The channel and its groups."""

    probe_s = 5.0
    """Between two looks at the broker."""
    probe_timeout_s = 2.0
    join_timeout_s = 5.0
    min_backoff_s, max_backoff_s = 0.2, 5.0

    def __init__(self, listener: Listener) -> None:
        self.feeds: dict[str, Feed] = {}
        """By group."""
        self._listener = listener
        self._probes: dict[str, asyncio.Future[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._channel = ""
        self._opened = asyncio.Event()
        """Set while `_channel` can receive."""
        self._healthy = asyncio.Event()
        """Cleared from the first sign of a broken layer until a probe comes through."""
        self._healthy.set()
        self._doubt = asyncio.Event()
        self._has_warned = False

    @property
    def layer(self) -> BaseChannelLayer:
        return channel_layers[DEFAULT_CHANNEL_LAYER]

    @property
    def is_healthy(self) -> bool:
        return self._healthy.is_set()

    def start(self) -> None:
        """Begin to receive; does nothing when it has begun."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._receive()),
                asyncio.create_task(self._watch()),
            ]

    async def aclose(self) -> None:
        """End all tasks."""
        feeds = [feed.task for feed in self.feeds.values() if feed.task]
        tasks, self._tasks = [*self._tasks, *feeds], []
        await cancel_all(tasks)

    def get_feed(self, group: str) -> Feed:
        return self.feeds.setdefault(group, Feed(group))

    # What the layer knows is brought in line with what is wanted by one task per group at a time, so that joins and leaves that cross
    # cannot undo each other.

    def settle(self, feed: Feed) -> None:
        """See to it that the channel is in the group while that is wanted."""
        if feed.task is None:
            if feed.is_settled:
                self._forget(feed)
            else:
                feed.task = asyncio.create_task(self._bring_in_line(feed))

    def pause(self, error: Exception) -> None:
        """Take note that the broker does not answer; nothing is trusted until it does."""
        self._healthy.clear()
        self._doubt.set()
        for feed in tuple(self.feeds.values()):
            feed.is_live = False
            self.settle(feed)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "The channel layer does not answer, live updates are paused: %r", error
            )
            self._listener.on_outage()

    async def _bring_in_line(self, feed: Feed) -> None:
        try:
            while not feed.is_settled:
                if feed.is_wanted:
                    await self._subscribe(feed)
                else:
                    await self._unsubscribe(feed)
        finally:
            feed.task = None
            self._forget(feed)

    def _forget(self, feed: Feed) -> None:
        if not feed.is_wanted and self.feeds.get(feed.group) is feed:
            del self.feeds[feed.group]

    async def _subscribe(self, feed: Feed) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.join_timeout_s):
                await self._healthy.wait()
        if not (self.is_healthy and feed.is_wanted):
            return
        try:
            async with asyncio.timeout(self.probe_timeout_s):
                await self._opened.wait()
                feed.is_added = True
                await self.layer.group_add(feed.group, self._channel)
                # `group_add` may return before the broker has heard of it; what comes through the group proves it.
                await self._probe(
                    lambda event: self.layer.group_send(feed.group, event)
                )
        except Exception as error:  # noqa: BLE001 - an edge: each layer has its own errors
            self.pause(error)
            return
        feed.is_live = True
        self._listener.on_live(feed)

    async def _unsubscribe(self, feed: Feed) -> None:
        feed.is_live = feed.is_added = False
        try:
            async with asyncio.timeout(self.probe_timeout_s):
                await self.layer.group_discard(feed.group, self._channel)
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self.pause(error)

    async def _probe(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        nonce = uuid4().hex
        self._probes[nonce] = arrived = asyncio.get_running_loop().create_future()
        try:
            await send({"type": "room.probe", "nonce": nonce})
            await arrived
        finally:
            del self._probes[nonce]

    async def _receive(self) -> None:
        backoff_s = self.min_backoff_s
        while True:
            try:
                self._channel = await self.layer.new_channel()
                self._opened.set()
                handled = 0
                while True:
                    self._handle(await self.layer.receive(self._channel))
                    backoff_s = self.min_backoff_s
                    handled += 1
                    if handled % EVENTS_AT_A_TIME == 0:
                        # A channel with events waiting would never give way.
                        await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001 - an edge: as above
                await self._lose_channel(error)
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, self.max_backoff_s)

    async def _lose_channel(self, error: Exception) -> None:
        """Take the old channel out of its groups as far as the layer lets us; the new one is added once a probe comes through."""
        self._opened.clear()
        self.pause(error)
        with suppress(Exception):
            async with asyncio.timeout(self.probe_timeout_s):
                for group in tuple(self.feeds):
                    await self.layer.group_discard(group, self._channel)

    def _handle(self, event: dict[str, Any]) -> None:
        if event.get("type") == "room.probe":
            arrived = self._probes.get(event["nonce"])
            if arrived and not arrived.done():
                arrived.set_result(None)
        else:
            self._listener.on_event(event)

    async def _watch(self) -> None:
        backoff_s = self.min_backoff_s
        while True:
            if self.is_healthy:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.probe_s):
                        await self._doubt.wait()
            else:
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, self.max_backoff_s)
            self._doubt.clear()
            if await self._answers():
                self._healthy.set()
                backoff_s = self.min_backoff_s
                await self._reassure()

    async def _answers(self) -> bool:
        try:
            if self.is_healthy:
                # A process that is busy may take its time over an answer that is there.
                with suppress(TimeoutError):
                    await self._ask()
                    return True
            await self._ask()
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self.pause(error)
            return False
        return True

    async def _ask(self) -> None:
        async with asyncio.timeout(self.probe_timeout_s):
            await self._opened.wait()
            await self._probe(lambda event: self.layer.send(self._channel, event))

    async def _reassure(self) -> None:
        is_back = self._has_warned
        if is_back and (tasks := [f.task for f in self.feeds.values() if f.task]):
            await asyncio.wait(tasks, timeout=self.probe_timeout_s)
        if not self.is_healthy:
            return
        if is_back:
            self._has_warned = False
            logger.warning("The channel layer answers again, live updates continue")
        await self._listener.on_probe(is_back=is_back)


async def cancel_all(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for them; again, since a client library may take a cancellation for its own time-out."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
