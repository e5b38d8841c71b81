"""What waits to be published, and the thread that sends it.

Nobody waits for the broker: a message is taken at once, and what piles up while one round trip is under way goes in the next one.
While the broker is away messages wait, states merged by entity, up to a bound; a room that lost some begins a new stream afterwards,
so that everybody in it notices.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from itertools import count
from time import monotonic

from redis.exceptions import ResponseError

from realtime.history import RoomMessages, SenderHistory
from realtime.messages import Message
from realtime.metrics import DROPPED, MERGED, PUBLISH_S, PUBLISHED
from realtime.rooms import Room

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Messages that may wait; beyond it a room's oldest are dropped."""
MERGES_FROM = 1_000
"""So many waiting messages mean that the broker is behind or away, and a newer state replaces one that waits."""
MAX_BATCH_CHARS = 256 * 1024
"""About what one call may carry, so that no broker cuts a subscriber off for being behind."""
ANSWER_TIMEOUT_S = 5.0
MIN_PAUSE_S, MAX_PAUSE_S = 0.05, 2.0
UNWATCHED_HZ = 1.0
"""Of a state with `max_hz` where nobody looks."""
WATCHED_FOR_S = 5.0
"""How long an answer about listeners is believed."""
HELD_ERRORS = ("OOM", "LOADING", "READONLY", "MISCONF", "BUSY", "MASTERDOWN")
"""Answers that mean: later."""
NEVER = (0.0, 0.0)

Waiting = dict[int | str, tuple[str, str]]


class Sender:
    """Waiting messages by group and room, and the thread that sends them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: OrderedDict[tuple[str, str], Waiting] = OrderedDict()
        """By group and room."""
        self._numbers = count()
        self._count = self._in_flight = 0
        self._torn: set[str] = set()
        """Rooms that lost messages."""
        self._pace = Pace()
        self._listeners: dict[str, tuple[int, float]] = {}
        """Of a group, and when the broker said so."""
        self._dropped = 0
        self._is_paused = False
        self._stop = threading.Event()
        """Of the thread that runs; one that could not end in time does not come to life again."""
        self._thread: threading.Thread | None = None

    def put(self, room: Room, message: Message, body: str) -> None:
        """Take one encoded message; returns at once, whatever the state of the broker."""
        mark = message.mark
        with self._changed:
            if self._thread is None:
                self._start()
            if message.max_hz and not self._pace.may_go(
                room, mark, body, hz=self._get_hz(room, message.max_hz)
            ):
                self._changed.notify_all()
                return
            if mark[1:] and message.delivery == "event" and self._pace.is_holding:
                self._release(self._pace.end(room, mark[1:], is_end=mark[0] == "x"))
            self._enqueue(room.group, room.name, mark, body)
            self._changed.notify_all()

    def begin_anew(self, room: Room) -> None:
        """Begin a new stream of a room with what goes to it next, or with nothing."""
        with self._changed:
            if self._thread is None:
                self._start()
            self._torn.add(room.name)
            self._waiting.setdefault((room.group, room.name), {})
            self._changed.notify_all()

    def is_watched(self, room: Room) -> bool:
        """Return whether any process had a listener when the room was published to last; True where that is not known."""
        listeners, at = self._listeners.get(room.group, (1, 0.0))
        return listeners > 0 or monotonic() - at > WATCHED_FOR_S

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits or is being sent; False when that took too long."""
        end = monotonic() + timeout_s
        with self._changed:
            self._release(self._pace.end_all())
            self._changed.notify_all()
            # A room that begins anew waits without a message.
            while self._waiting or self._in_flight:
                left_s = end - monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    return False
            return True

    def stop(self, timeout_s: float) -> None:
        """Send what waits, then end the thread and close its connection; the next `put` starts anew."""
        end = monotonic() + timeout_s
        self.flush(timeout_s)
        with self._changed:
            thread, self._thread = self._thread, None
            self._stop.set()
            self._changed.notify_all()
        if thread is not None:
            thread.join(max(end - monotonic(), 0.1))

    def _get_hz(self, room: Room, hz: float) -> float:
        return hz if self.is_watched(room) else min(hz, UNWATCHED_HZ)

    def _enqueue(self, group: str, room: str, mark: str, body: str) -> None:
        waiting = self._waiting.setdefault((group, room), {})
        key: int | str = next(self._numbers)
        if self._count >= MERGES_FROM and mark[0] in "su":
            key = mark
            if waiting.pop(key, None):
                self._count -= 1
                MERGED.inc()
        waiting[key] = (mark, body)
        self._count += 1
        if self._count > MAX_WAITING:
            waiting.pop(next(iter(waiting)))
            if not waiting:
                del self._waiting[group, room]
            self._count -= 1
            self._torn.add(room)
            self._pause(1, f"{MAX_WAITING} messages are waiting")

    def _release(self, held: list[Held]) -> None:
        for group, room, mark, body in held:
            self._enqueue(group, room, mark, body)

    def _start(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(self._stop,),
            name="realtime-publisher",
            daemon=True,
        )
        self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        history = SenderHistory(timeout_s=ANSWER_TIMEOUT_S)
        try:
            while (batch := self._wait(stop)) is not None:
                self._send(history, batch, stop)
        finally:
            history.close()

    def _wait(self, stop: threading.Event) -> Batch | None:
        """Return what is to be sent next; None once there is nothing and the thread is to end."""
        with self._changed:
            if stop is not self._stop:
                return None
            self._in_flight = 0
            self._changed.notify_all()
            while True:
                self._release(self._pace.take_due())
                if self._waiting:
                    return self._take()
                if stop.is_set():
                    return None
                self._changed.wait(self._pace.get_wait_s())

    def _take(self) -> Batch:
        batch: Batch = {}
        chars = 0
        while self._waiting and chars < MAX_BATCH_CHARS:
            (group, room), waiting = self._waiting.popitem(last=False)
            messages = _cut(waiting, MAX_BATCH_CHARS - chars, needs_one=not batch)
            if waiting:
                # Behind the other rooms, ahead of what comes for this one.
                self._waiting[group, room] = waiting
                if not messages:
                    break
            chars += sum(len(body) for _, body in messages)
            is_torn = room in self._torn
            batch.setdefault(group, []).append(RoomMessages(room, messages, is_torn))
            self._torn.discard(room)
            self._count -= len(messages)
            self._in_flight += len(messages) + is_torn
        return batch

    def _send(
        self, history: SenderHistory, batch: Batch, stop: threading.Event
    ) -> None:
        pause_s, began = MIN_PAUSE_S, monotonic()
        while True:
            try:
                listeners = history.publish(batch)
            except ResponseError as error:
                if not str(error).startswith(HELD_ERRORS):
                    history.give_up(batch)
                    self._refuse(batch, error)
                    return
                self._pause(0, error)
            except Exception as error:  # noqa: BLE001 - an edge: whatever is wrong with the broker may not end the thread
                self._pause(0, error)
            else:
                PUBLISH_S.observe(monotonic() - began)
                PUBLISHED.inc(_count(batch))
                self._note(listeners)
                return
            with self._changed:
                if stop.is_set():
                    self._lose(batch, "publisher")
                    return
                self._changed.wait_for(stop.is_set, pause_s)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)

    def _lose(self, batch: Batch, where: str) -> None:
        """Give up messages; their rooms begin anew, so that everybody in them notices."""
        self._torn.update(room.room for rooms in batch.values() for room in rooms)
        self._dropped += _count(batch)
        DROPPED.labels(where).inc(_count(batch))

    def _refuse(self, batch: Batch, error: Exception) -> None:
        """Give up what the broker will never take."""
        with self._changed:
            self._lose(batch, "broker")
        logger.error("The broker refuses %d messages: %s", _count(batch), error)

    def _note(self, listeners: dict[str, int]) -> None:
        now = monotonic()
        if len(self._listeners) > MAX_WAITING:
            self._listeners.clear()
        for group, found in listeners.items():
            # A call that was repeated says nothing of listeners.
            if found >= 0:
                self._listeners[group] = (found, now)
        if self._is_paused:
            with self._changed:
                self._is_paused, dropped, self._dropped = False, self._dropped, 0
            logger.warning("Live updates go out again; %d messages were lost", dropped)

    def _pause(self, dropped: int, why: object) -> None:
        self._dropped += dropped
        DROPPED.labels("publisher").inc(dropped)
        if not self._is_paused:
            self._is_paused = True
            logger.warning(
                "Live updates are paused, messages wait until the broker answers (%s)",
                why,
            )


def _count(batch: Batch) -> int:
    return sum(len(room.messages) for rooms in batch.values() for room in rooms)


def _cut(waiting: Waiting, chars: int, *, needs_one: bool) -> list[tuple[str, str]]:
    """Take the oldest messages out, of so many characters at most, but one where one is needed."""
    messages: list[tuple[str, str]] = []
    for key in list(waiting):
        chars -= len(waiting[key][1])
        if chars < 0 and (messages or not needs_one):
            break
        messages.append(waiting.pop(key))
    return messages


Batch = dict[str, list[RoomMessages]]
Held = tuple[str, str, str, str]
"""Group, room, mark, body."""


class Pace:
    """States that come faster than their type's `max_hz`: the newest of each entity is held until it is due."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, str], tuple[float, float]] = {}
        """When the next may go, and the seconds between two."""
        self._held: dict[tuple[str, str], Held] = {}

    @property
    def is_holding(self) -> bool:
        return bool(self._due)

    def may_go(self, room: Room, mark: str, body: str, *, hz: float) -> bool:
        """Return whether a state may go now; it is held otherwise, in place of an older one."""
        now, key = monotonic(), (room.name, mark[1:])
        if now < self._due.get(key, NEVER)[0]:
            if key in self._held:
                MERGED.inc()
            self._held[key] = (room.group, room.name, mark, body)
            return False
        if self._held.pop(key, None):
            MERGED.inc()
        if len(self._due) >= MERGES_FROM:
            self._due = {k: due for k, due in self._due.items() if due[0] > now}
        self._due[key] = (now + 1 / hz, 1 / hz)
        return True

    def end(self, room: Room, about: str, *, is_end: bool) -> list[Held]:
        """Return what is held of an entity, which has to go before its event."""
        key = (room.name, about)
        if is_end:
            self._due.pop(key, None)
        held = self._held.pop(key, None)
        return [held] if held else []

    def end_all(self) -> list[Held]:
        """Return everything that is held."""
        held, self._held = list(self._held.values()), {}
        return held

    def take_due(self) -> list[Held]:
        """Return what is held and due by now."""
        now = monotonic()
        due = [key for key in self._held if self._due.get(key, NEVER)[0] <= now]
        for key in due:
            period_s = self._due.get(key, NEVER)[1]
            self._due[key] = (now + period_s, period_s)
        return [self._held.pop(key) for key in due]

    def get_wait_s(self) -> float | None:
        """Return the seconds until the next is due; None where nothing is held."""
        if not self._held:
            return None
        first = min(self._due.get(key, NEVER)[0] for key in self._held)
        return max(first - monotonic(), 0.0)
