"""One per process and event loop: receives each room's messages once and hands them to the local connections.

The hub owns one channel of the layer and puts it into a room's group while the room has a member here. It takes no layer's word for
anything: a subscription counts once an event has come through it, and a probe to its own channel every few seconds finds a broker
that is gone. Connections stay open meanwhile, are told, and are put back into their rooms.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import BaseChannelLayer, channel_layers

from realtime.exceptions import PausedError
from realtime.messages import Joined, Message, SystemInfo, SystemWarning, encode_frame
from realtime.rooms import Room
from realtime.subscriptions import Subscription
from realtime.transports import Transport

logger = logging.getLogger(__name__)

PAUSED = "Live updates are paused. They continue by themselves."
WRITES_AT_A_TIME = 2_000
"""Before other coroutines get their turn."""


class Hub:
    """All connections of this process and event loop, by room."""

    probe_s = 5.0
    """Between two looks at the broker."""
    probe_timeout_s = 2.0
    join_timeout_s = 5.0
    min_backoff_s, max_backoff_s = 0.2, 5.0

    def __init__(self) -> None:
        self._connections: set[Transport] = set()
        self._subscriptions: dict[str, Subscription] = {}
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

    def add(self, transport: Transport) -> None:
        """Take a connection in; from here on it hears of outages."""
        self._connections.add(transport)
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._receive()),
                asyncio.create_task(self._watch()),
            ]

    def remove(self, transport: Transport) -> None:
        """Let a connection go, out of all its rooms."""
        self._connections.discard(transport)
        for name in [
            name
            for name, subscription in self._subscriptions.items()
            if transport in subscription.members
        ]:
            self.leave(transport, name)

    async def join(self, transport: Transport, room: Room) -> None:
        """Put a connection into a room; when this returns, whatever is published arrives. Joins of one room share one subscription.

        Raises:
            PausedError: the layer is known to be away, or did not confirm within 5 s.
        """
        if not self._healthy.is_set():
            raise PausedError(PAUSED)
        subscription = self._subscriptions.setdefault(room.name, Subscription(room))
        subscription.waiting += 1
        try:
            self._settle(subscription)
            async with asyncio.timeout(self.join_timeout_s):
                await subscription.live.wait()
            if transport in self._connections:
                subscription.members.add(transport)
        except TimeoutError as error:
            raise PausedError(PAUSED) from error
        finally:
            subscription.waiting -= 1
            self._settle(subscription)

    def leave(self, transport: Transport, name: str) -> None:
        """Take a connection out of a room; does nothing where it is not in."""
        if subscription := self._subscriptions.get(name):
            subscription.members.discard(transport)
            self._settle(subscription)

    async def aclose(self) -> None:
        """End all tasks; for tests and shutdown."""
        tasks = [
            *self._tasks,
            *(
                subscription.task
                for subscription in self._subscriptions.values()
                if subscription.task
            ),
        ]
        self._tasks = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What the layer knows is brought in line with the members by one task per room at a time, so that joins and leaves that cross
    # cannot undo each other.

    def _settle(self, subscription: Subscription) -> None:
        if subscription.task is None:
            if subscription.is_settled:
                self._forget(subscription)
            else:
                subscription.task = asyncio.create_task(
                    self._bring_in_line(subscription)
                )

    async def _bring_in_line(self, subscription: Subscription) -> None:
        try:
            while not subscription.is_settled:
                if subscription.is_wanted:
                    await self._subscribe(subscription)
                else:
                    await self._unsubscribe(subscription)
        finally:
            subscription.task = None
            self._forget(subscription)

    def _forget(self, subscription: Subscription) -> None:
        name = subscription.room.name
        if not subscription.is_wanted and self._subscriptions.get(name) is subscription:
            del self._subscriptions[name]

    async def _subscribe(self, subscription: Subscription) -> None:
        room = subscription.room
        try:
            async with asyncio.timeout(
                None if subscription.members else self.join_timeout_s
            ):
                await self._healthy.wait()
        except TimeoutError:
            return
        try:
            async with asyncio.timeout(self.probe_timeout_s):
                await self._opened.wait()
                subscription.is_added = True
                await self.layer.group_add(room.group, self._channel)
                # `group_add` may return before the broker has heard of it; what comes through the group proves it.
                await self._probe(
                    lambda event: self.layer.group_send(room.group, event)
                )
        except Exception as error:  # noqa: BLE001 - an edge: each layer has its own errors
            self._pause(error)
            return
        subscription.live.set()
        if subscription.was_lost:
            subscription.was_lost = False
            self._tell(subscription.members, Joined(room=room.name), room=room.name)

    async def _unsubscribe(self, subscription: Subscription) -> None:
        subscription.live.clear()
        subscription.is_added = False
        try:
            async with asyncio.timeout(self.probe_timeout_s):
                await self.layer.group_discard(subscription.room.group, self._channel)
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self._pause(error)

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
                while True:
                    await self._handle(await self.layer.receive(self._channel))
                    backoff_s = self.min_backoff_s
            except Exception as error:  # noqa: BLE001 - an edge: as above
                await self._lose_channel(error)
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, self.max_backoff_s)

    async def _lose_channel(self, error: Exception) -> None:
        """Take the old channel out of its groups as far as the layer lets us; the new one is added once a probe comes through."""
        self._opened.clear()
        self._pause(error)
        with suppress(Exception):
            async with asyncio.timeout(self.probe_timeout_s):
                for subscription in tuple(self._subscriptions.values()):
                    await self.layer.group_discard(
                        subscription.room.group, self._channel
                    )

    async def _handle(self, event: dict[str, Any]) -> None:
        if event.get("type") == "room.frames":
            if subscription := self._subscriptions.get(event["room"]):
                await self._deliver(subscription, event["frames"])
        elif event.get("type") == "room.probe":
            arrived = self._probes.get(event["nonce"])
            if arrived and not arrived.done():
                arrived.set_result(None)
        else:
            logger.warning(
                "The hub's channel got an event that it does not know: %.200r", event
            )

    async def _deliver(self, subscription: Subscription, frames: list[str]) -> None:
        writes = 0
        for frame in frames:
            for member in tuple(subscription.members):
                member.write(frame)
            writes += len(subscription.members)
            if writes >= WRITES_AT_A_TIME:
                writes = 0
                await asyncio.sleep(0)

    async def _watch(self) -> None:
        backoff_s = self.min_backoff_s
        while True:
            if self._healthy.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.probe_s):
                        await self._doubt.wait()
            else:
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, self.max_backoff_s)
            self._doubt.clear()
            if (
                self._connections or not self._healthy.is_set()
            ) and await self._answers():
                self._healthy.set()
                backoff_s = self.min_backoff_s
                await self._reassure()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self.probe_timeout_s):
                await self._opened.wait()
                await self._probe(lambda event: self.layer.send(self._channel, event))
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self._pause(error)
            return False
        return True

    def _pause(self, error: Exception) -> None:
        self._healthy.clear()
        self._doubt.set()
        for subscription in tuple(self._subscriptions.values()):
            if subscription.live.is_set():
                subscription.live.clear()
                subscription.was_lost = True
            self._settle(subscription)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "The channel layer does not answer, live updates are paused: %r", error
            )
            self._tell(
                self._connections,
                SystemWarning(message=PAUSED, details={"live": False}),
            )

    async def _reassure(self) -> None:
        if not self._has_warned:
            return
        if tasks := [
            subscription.task
            for subscription in self._subscriptions.values()
            if subscription.task
        ]:
            await asyncio.wait(tasks, timeout=self.probe_timeout_s)
        if self._healthy.is_set():
            self._has_warned = False
            logger.warning("The channel layer answers again, live updates continue")
            self._tell(
                self._connections,
                SystemInfo(message="Live updates continue.", details={"live": True}),
            )

    def _tell(
        self, transports: set[Transport], message: Message, *, room: str | None = None
    ) -> None:
        frame = encode_frame(message, room=room)
        for transport in tuple(transports):
            transport.write(frame)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def get_hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [other for other in _hubs if other.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
    return _hubs[loop]
