"""The one door through which messages leave the code that knows what happened.

`publish()` may be called anywhere: views, receivers, commands, worker threads, coroutines. A thread of this process sends, so nobody
waits for the channel layer; what piles up for a room while one send is in flight goes out as one event. No thread runs before the
first message, and a forked child starts its own. A short-lived process calls `flush()` before it ends.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import NamedTuple

from asgiref.sync import sync_to_async
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from django.db import transaction

from realtime.exceptions import PublishError
from realtime.messages import Message, SystemNotice, encode_frame
from realtime.rooms import Room

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Frames that may wait to be sent; more are dropped, with one line in the log."""
MAX_EVENT_CHARS = 256 * 1024
"""About what one layer event may carry, so that no broker cuts a subscriber off for being behind."""
SEND_TIMEOUT_S = 5.0


class Publication(NamedTuple):
    """One message on its way."""

    room: str
    message: Message


class Sender:
    """Waiting frames by room, and the thread that sends them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, tuple[str, list[str]]] = OrderedDict()
        self._count = 0
        self._in_flight = 0
        self._dropped = 0
        self._is_paused = False
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None

    def put(self, room: Room, frame: str) -> None:
        """Take one encoded frame; returns at once, whatever the state of the broker."""
        with self._changed:
            if self._thread is None:
                self._start()
            if self._count >= MAX_WAITING:
                self._drop(1, f"{MAX_WAITING} messages are waiting")
                return
            self._waiting.setdefault(room.group, (room.name, []))[1].append(frame)
            self._count += 1
            if self._count == 1 and self._loop and self._wake:
                self._loop.call_soon_threadsafe(self._wake.set)

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits or is being sent; False when that took too long."""
        end = monotonic() + timeout_s
        with self._changed:
            while self._count or self._in_flight:
                left_s = end - monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    return False
            return True

    def stop(self, timeout_s: float) -> None:
        """Send what waits, then end the thread and close its connections; the next `put` starts anew."""
        self.flush(timeout_s)
        with self._changed:
            thread, self._thread = self._thread, None
            self._is_stopping = True
            if self._loop and self._wake:
                self._loop.call_soon_threadsafe(self._wake.set)
        if thread is not None:
            thread.join(timeout_s)

    def _start(self) -> None:
        self._is_stopping = False
        self._thread = threading.Thread(
            target=partial(asyncio.run, self._run()),
            name="realtime-publisher",
            daemon=True,
        )
        self._thread.start()

    async def _run(self) -> None:
        wake = asyncio.Event()
        wake.set()
        with self._changed:
            self._loop, self._wake = asyncio.get_running_loop(), wake
        try:
            while not self._is_stopping:
                await wake.wait()
                wake.clear()
                while batch := self._take():
                    await self._send(*batch)
        finally:
            with self._changed:
                self._loop = self._wake = None

    def _take(self) -> tuple[str, str, list[str]] | None:
        with self._changed:
            self._in_flight = 0
            self._changed.notify_all()
            if not self._waiting:
                return None
            group, (room, frames) = self._waiting.popitem(last=False)
            end = _fitting(frames)
            if rest := frames[end:]:
                # Behind the other rooms, ahead of what comes for this one.
                self._waiting[group] = (room, rest)
            self._count -= end
            self._in_flight = end
            return group, room, frames[:end]

    async def _send(self, group: str, room: str, frames: list[str]) -> None:
        try:
            layer = channel_layers[DEFAULT_CHANNEL_LAYER]
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await layer.group_send(
                    group, {"type": "room.frames", "room": room, "frames": frames}
                )
        except Exception as error:  # noqa: BLE001 - an edge: each layer has its own errors, and none may end the thread
            with self._changed:
                self._drop(len(frames), f"{type(error).__name__}: {error}")
            return
        if self._is_paused:
            with self._changed:
                self._is_paused, dropped, self._dropped = False, self._dropped, 0
            logger.warning(
                "Live updates go out again; %d messages were dropped", dropped
            )

    def _drop(self, count: int, why: str) -> None:
        self._dropped += count
        if not self._is_paused:
            self._is_paused = True
            logger.warning(
                "Live updates are paused, messages are dropped until the channel layer answers (%s)",
                why,
            )


def _fitting(frames: list[str]) -> int:
    chars = 0
    for index, frame in enumerate(frames):
        chars += len(frame)
        if chars > MAX_EVENT_CHARS:
            return max(index, 1)
    return len(frames)


_sender = Sender()
_observers: list[Callable[[Publication], bool]] = []
"""Asked in turn; the first that answers True keeps the message from being sent."""


def publish(room: Room, message: Message) -> None:
    """Send a message to everybody in the room, once the current transaction has committed; nothing if it rolls back.

    Encoded at once, so later changes of what it was made from do not matter. Never raises and never waits for the broker: a message
    that cannot be sent is dropped, and the log says so once per outage. Order is kept per room and thread.
    """
    try:
        _check(room, message)
        deliver = partial(
            _deliver, room, message, encode_frame(message, room=room.name)
        )
        # `on_commit` opens a database connection where none is; a thread that only reports progress needs none.
        if transaction.get_connection().in_atomic_block:
            transaction.on_commit(deliver, robust=True)
        else:
            deliver()
    except Exception:
        logger.exception("A message for %r was not published", room)


async def apublish(room: Room, message: Message) -> None:
    """Do the same from a coroutine: in Django's thread for synchronous code, where its transaction is."""
    await sync_to_async(publish)(room, message)


def flush(*, timeout_s: float = 1.0) -> bool:
    """Wait until what was published has left this process or was dropped; False when that took longer. Not for event loops."""
    return _sender.flush(timeout_s)


def stop(*, timeout_s: float = 1.0) -> None:
    """Flush, and end the sending thread with its connections until the next message. Not for event loops."""
    _sender.stop(timeout_s)


def observe(observer: Callable[[Publication], bool]) -> Callable[[], None]:
    """Show each committed message to `observer`, in the publishing thread, until the returned function is called.

    An observer that returns True keeps the message from being sent.
    """
    _observers.append(observer)
    return lambda: _observers.remove(observer)


def _check(room: Room, message: Message) -> None:
    if not isinstance(message, (*room.messages, SystemNotice)):
        allowed = (
            ", ".join(sorted(kind.__name__ for kind in room.messages))
            or "system messages"
        )
        raise PublishError(f"{room!r} takes {allowed}, got {type(message).__name__}.")


def _deliver(room: Room, message: Message, frame: str) -> None:
    # After a commit there is no caller that could catch it, and Django's own `robust` cannot log what a partial raises.
    try:
        kept = [
            observer(Publication(room.name, message)) for observer in tuple(_observers)
        ]
        if not any(kept):
            _sender.put(room, frame)
    except Exception:
        logger.exception("A message for %r was not published", room)


def _forget_parent() -> None:
    """Start afresh in a forked child: the parent's thread is not there, and its lock may have been held."""
    global _sender
    _sender = Sender()


os.register_at_fork(after_in_child=_forget_parent)
atexit.register(stop)
