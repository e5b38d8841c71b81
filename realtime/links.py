"""One connection as the hub sees it: what may be written to it now, and what waits until more may."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from realtime.messages import Batch, encode_frame
from realtime.outbox import ROOMLESS, Item, Outbox
from realtime.transports import Delivery, Transport

MAX_UNACKED_FRAMES = 64
MAX_UNACKED_BYTES = 256 * 1024
BATCH_CHARS = 64 * 1024
"""About the size of one batch that is a connection's own."""


class Laggard(Protocol):
    """A stream, as a connection that is behind in it sees it."""

    name: str

    def advance(self, link: Link, seq: int) -> int:
        """Note what is written to a connection next, and return the `seq` before it."""

    def catch_up(self, link: Link) -> None:
        """Take a connection for which nothing waits among those that are up to date."""


class Link:
    """A connection's window and outbox.

    While nothing waits and the window is open, a shared delivery is written as it is. Otherwise messages are kept, states merged, and
    go out with positions of the connection's own once there is room.
    """

    def __init__(
        self, transport: Transport, *, on_overflow: Callable[[], None]
    ) -> None:
        self.transport = transport
        self.outbox = Outbox()
        self.rooms: set[str] = set()
        """Joined, by name."""
        self.has_acks = self.has_batches = False
        self.period_s = 0.0
        """Least seconds between two looks at the outbox; 0 where the client named no `max_hz`."""
        self.sent = self.acked = 0
        """Frames since `hello`."""
        self.is_blocked = self.is_closed = False
        self._is_busy = False
        self._sizes: deque[int] = deque()
        self._unacked_bytes = 0
        self._lags: dict[str, Laggard] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._emptied: asyncio.Event | None = None
        self._on_overflow = on_overflow
        transport.on_free = self._become_free

    def greet(self, *, acks: bool, batch: bool, max_hz: float | None) -> None:
        """Take what the client can do; counting begins here."""
        self.has_acks, self.has_batches = acks, batch
        self.period_s = 1 / max_hz if max_hz else 0.0
        self.sent = self.acked = self._unacked_bytes = 0
        self._sizes.clear()
        self._reconsider()

    def acknowledge(self, count: int) -> None:
        """Note that the client has read so many frames; more than were sent are those that crossed its `hello`."""
        while self.acked < min(count, self.sent):
            self._unacked_bytes -= self._sizes.popleft()
            self.acked += 1
        self._reconsider()

    def write(self, shared: Delivery) -> bool:
        """Write frames that many connections get; False where they have to be kept instead."""
        if self.is_blocked or self.period_s:
            return False
        self._write(shared)
        return True

    @property
    def is_free(self) -> bool:
        """Whether shared frames can be written as they are."""
        return not self.is_blocked and not self.period_s

    def reply(self, text: str) -> None:
        """Write a frame that is this connection's alone, after what waits."""
        if self.is_closed:
            return
        if self.is_blocked or self.outbox:
            self.keep(ROOMLESS, [Item(0, "e", text)])
        else:
            self._write(Delivery([text]))

    def keep(self, room: str, items: Sequence[Item]) -> None:
        """Put messages into the outbox, and write what there is room for."""
        if self.is_closed:
            return
        for item in items:
            self.outbox.put(room, item)
        if self.is_blocked:
            if self.outbox.is_full:
                self.close()
                self._on_overflow()
        elif not all(item.is_state for item in items) or self._get_wait_s() <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                self._get_wait_s(), self._tick
            )

    def lag(self, stream: Laggard) -> None:
        """Note that this connection is behind in a room."""
        self._lags[stream.name] = stream

    def forget(self, room: str) -> None:
        """Drop what waits for a room that was left, or began anew."""
        self._lags.pop(room, None)
        self.outbox.forget(room)

    def flush(self) -> None:
        """Write what waits, as far as there is room."""
        if self.period_s:
            self._flushed_at = monotonic()
        while self.outbox and not self.is_blocked:
            self._write(Delivery(self._take()))
        if not self.outbox and self._emptied is not None:
            self._emptied.set()
        if not self.outbox and not self.period_s:
            lags, self._lags = self._lags, {}
            for stream in lags.values():
                stream.catch_up(self)

    async def wait_until_empty(self) -> None:
        """Wait until nothing waits any more; at once where nothing does."""
        if self.outbox and not self.is_closed:
            self._emptied = asyncio.Event()
            await self._emptied.wait()

    def close(self) -> None:
        """Nothing is written or kept from here on."""
        self.is_closed = self.is_blocked = True
        self.outbox.clear()
        self._lags.clear()
        if self._emptied is not None:
            self._emptied.set()
        if self._timer is not None:
            self._timer.cancel()

    def _take(self) -> Sequence[str]:
        texts, chars = [self._take_one()], 0
        if not self.has_batches:
            return texts
        while self.outbox and chars < BATCH_CHARS:
            texts.append(self._take_one())
            chars += len(texts[-1])
        return texts if len(texts) == 1 else [encode_batch(texts)]

    def _take_one(self) -> str:
        room, item = self.outbox.take()
        if room == ROOMLESS:
            return item.body
        prev = self._lags[room].advance(self, item.seq)
        return complete(item, prev)

    def _write(self, delivery: Delivery) -> None:
        if self.is_closed:
            return
        if self.has_acks:
            count = len(delivery.texts)
            self.sent += count
            # The first frame stands for all that are written with it.
            self._sizes.append(delivery.size_bytes)
            self._sizes.extend([0] * (count - 1))
            self._unacked_bytes += delivery.size_bytes
        if not self.transport.write(delivery):
            self._is_busy = self.is_blocked = True
        elif self.has_acks and self._is_window_shut:
            self.is_blocked = True

    @property
    def _is_window_shut(self) -> bool:
        return (
            self.sent - self.acked >= MAX_UNACKED_FRAMES
            or self._unacked_bytes >= MAX_UNACKED_BYTES
        )

    def _become_free(self) -> None:
        self._is_busy = False
        self._reconsider()

    def _reconsider(self) -> None:
        if self.is_closed:
            return
        self.is_blocked = self._is_busy or (self.has_acks and self._is_window_shut)
        if not self.is_blocked and self._timer is None:
            self.flush()

    def _get_wait_s(self) -> float:
        return self._flushed_at + self.period_s - monotonic() if self.period_s else 0.0

    def _tick(self) -> None:
        self._timer = None
        self.flush()


def complete(item: Item, prev: int) -> str:
    """Return the whole frame of a room's message."""
    return f'{item.body},"seq":{item.seq},"prev":{prev}}}'


def encode_batch(texts: Sequence[str]) -> str:
    """Return one frame that holds several."""
    # The frames are JSON already; encoding them as values would be parsing them first.
    empty = encode_frame(Batch(messages=[]))
    return empty.replace('"messages":[]', f'"messages":[{",".join(texts)}]', 1)
