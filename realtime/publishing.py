"""The one door through which messages leave the code that knows what happened.

`publish()` may be called anywhere: views, receivers, commands, worker threads, coroutines. A thread of this process sends, so nobody
waits for the broker; what piles up while one round trip is under way goes in the next. No thread runs before the first message, and a
forked child starts its own. A short-lived process calls `flush()` before it ends.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.db import transaction

from realtime.exceptions import PublishError
from realtime.messages import (
    MemberJoined,
    MemberLeft,
    Message,
    SystemNotice,
    encode_body,
)
from realtime.rooms import Room
from realtime.sending import Sender

logger = logging.getLogger(__name__)

LOOKED_BACK = 200
"""Callbacks of a transaction among which an older state is looked for."""


class Publication(NamedTuple):
    """One message on its way."""

    room: str
    message: Message


_sender = Sender()
_observers: list[Callable[[Publication], bool]] = []
"""Asked in turn; the first that answers True keeps the message from being sent."""


def publish(room: Room, message: Message) -> None:
    """Send a message to everybody in the room, once the current transaction has committed; nothing if it rolls back.

    Encoded at once, so later changes of what it was made from do not matter. Of several states of one entity in one transaction the
    last is sent. Never raises and never waits for the broker: while that is away messages wait, up to a bound, and whoever missed
    some gets a snapshot. Order is kept per room and thread.
    """
    try:
        _check(room, message)
        deliver = _Delivery(room, message, encode_body(message, room=room.name))
        connection = transaction.get_connection()
        # `on_commit` opens a database connection where none is; a thread that only reports progress needs none.
        if connection.in_atomic_block:
            _supersede(connection, deliver)
            transaction.on_commit(deliver, robust=True)
        else:
            deliver()
    except Exception:
        logger.exception("A message for %r was not published", room)


async def apublish(room: Room, message: Message) -> None:
    """Do the same from a coroutine: in Django's thread for synchronous code, where its transaction is."""
    await sync_to_async(publish)(room, message)


def begin_anew(room: Room) -> None:
    """Put everybody in the room into a new stream of it, with a snapshot.

    For who knows that messages were lost, as those that waited in a process that was killed. Never raises and never waits for the broker.
    """
    try:
        _sender.begin_anew(room)
    except Exception:
        logger.exception("%r does not begin anew", room)


def flush(*, timeout_s: float = 1.0) -> bool:
    """Wait until what was published has left this process or was dropped; False when that took longer. Not for event loops."""
    return _sender.flush(timeout_s)


def is_watched(room: Room) -> bool:
    """Return whether anybody, in any process, is in the room, as the last answer of the broker had it; True while that is not known.

    Small rooms share their answer, so True may mean a neighbour.
    """
    return _sender.is_watched(room)


def stop(*, timeout_s: float = 1.0) -> None:
    """Flush, and end the sending thread with its connections until the next message. Not for event loops."""
    _sender.stop(timeout_s)


def observe(observer: Callable[[Publication], bool]) -> Callable[[], None]:
    """Show each committed message to `observer`, in the publishing thread, until the returned function is called.

    An observer that returns True keeps the message from being sent.
    """
    _observers.append(observer)
    return lambda: _observers.remove(observer)


class _Delivery:
    """A message that goes out once its transaction has committed."""

    __slots__ = ("body", "message", "room")

    def __init__(self, room: Room, message: Message, body: str) -> None:
        self.room, self.message, self.body = room, message, body

    def __call__(self) -> None:
        # After a commit there is no caller that could catch it, and Django's own `robust` would tell less of it.
        try:
            kept = [
                observer(Publication(self.room.name, self.message))
                for observer in tuple(_observers)
            ]
            if not any(kept):
                _sender.put(self.room, self.message, self.body)
        except Exception:
            logger.exception("A message for %r was not published", self.room)

    def replaces(self, other: object) -> bool:
        return (
            isinstance(other, _Delivery)
            and self.message.delivery == "state"
            and other.room == self.room
            and other.message.mark == self.message.mark
        )


def _supersede(connection: Any, newer: _Delivery) -> None:
    """Take back an older state of the same entity, unless it could stay while the newer one is rolled back."""
    savepoints = set(connection.savepoint_ids)
    hooks = connection.run_on_commit
    for index in range(len(hooks) - 1, max(len(hooks) - LOOKED_BACK, 0) - 1, -1):
        if newer.replaces(hooks[index][1]):
            if savepoints <= set(hooks[index][0]):
                del hooks[index]
            return


def _check(room: Room, message: Message) -> None:
    if type(message) not in room.messages and not isinstance(
        message,
        (
            *room.messages,
            SystemNotice,
            *((MemberJoined, MemberLeft) if room.announces_members else ()),
        ),
    ):
        allowed = (
            ", ".join(sorted(kind.__name__ for kind in room.messages))
            or "system messages"
        )
        raise PublishError(f"{room!r} takes {allowed}, got {type(message).__name__}.")


def _forget_parent() -> None:
    """Start afresh in a forked child: the parent's thread is not there, and its lock may have been held."""
    global _sender
    _sender = Sender()


os.register_at_fork(after_in_child=_forget_parent)
atexit.register(stop)
