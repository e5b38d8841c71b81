"""One connection as the hub sees it: what may be written to it now, and what waits until more may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from realtime.deliveries import COUNTS_ONCE_BYTES, WINDOW, Delivery
from realtime.messages import Batch, encode_frame
from realtime.metrics import DROPPED, TALLY
from realtime.outbox import ROOMLESS, Item, Outbox, Piece
from realtime.transports import Transport

UNBOUNDED = 1 << 60
BUSY, PACED = 1 << 62, 1 << 61
"""Taken off the credit while no shared frame may be written."""
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

    # A process holds thousands.
    __slots__ = (
        "_acked",
        "_emptied",
        "_flushed_at",
        "_is_busy",
        "_lags",
        "_large",
        "_on_overflow",
        "_timer",
        "credit",
        "has_acks",
        "has_batches",
        "is_closed",
        "outbox",
        "period_s",
        "push",
        "rooms",
        "transport",
    )

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
        self.credit = UNBOUNDED
        """How many shared frames may be written; they may while it is above 0."""
        self.push = transport.push
        self.is_closed = False
        self._acked = 0
        """Frames since `hello`."""
        self._is_busy = False
        self._large: list[tuple[int, int]] = []
        """Frames that count as several, by number, and as how many more."""
        self._lags: dict[str, Laggard] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0
        self._emptied: asyncio.Event | None = None
        self._on_overflow = on_overflow
        transport.on_free = self._become_free

    @property
    def is_blocked(self) -> bool:
        """Whether nothing may be written."""
        return self.credit + (PACED if self.period_s else 0) <= 0

    @property
    def is_free(self) -> bool:
        """Whether shared frames may be written as they are."""
        return self.credit > 0

    @property
    def unacked(self) -> int:
        """Frames that the client has not acknowledged, a large one counted as several; 0 where it never does."""
        return WINDOW - self._get_window() if self.has_acks else 0

    def greet(self, *, acks: bool, batch: bool, max_hz: float | None) -> None:
        """Take what the client can do; counting begins here."""
        self.has_acks, self.has_batches = acks, batch
        self.period_s = 1 / max_hz if max_hz else 0.0
        self.credit = WINDOW if acks else UNBOUNDED
        self.credit -= (BUSY if self._is_busy else 0) + (PACED if max_hz else 0)
        self._acked = 0
        self._large.clear()
        self._go_on()

    def acknowledge(self, count: int) -> bool:
        """Note that the client has read so many frames, and return whether that is news.

        More than were sent are those that crossed its `hello`.
        """
        new = min(count, self._count_sent()) - self._acked
        if not self.has_acks or new <= 0:
            return False
        self._acked += new
        self.credit += new
        while self._large and self._large[0][0] <= self._acked:
            self.credit += self._large.pop(0)[1]
        self._go_on()
        return True

    def write(self, shared: Delivery) -> bool:
        """Write frames that many connections get; False where they have to be kept instead."""
        if self.credit < shared.cost:
            return False
        self._write(shared)
        return True

    def note(self, shared: Delivery, waits: object) -> None:
        """Take note of a delivery that was pushed and paid for, where it is large or some of it waits."""
        if shared.is_large and self.has_acks:
            extra = shared.cost - len(shared.texts)
            self._large.append((self._count_sent(extra), extra))
        if waits and not self._is_busy:
            self._is_busy = True
            self.credit -= BUSY

    def reply(self, text: str) -> None:
        """Write a frame that is this connection's alone, after what waits for room."""
        if self.is_closed:
            return
        if self.is_blocked:
            self.keep(ROOMLESS, [Item(0, "e", text)])
        else:
            self._write(Delivery([text]))

    def keep(self, room: str, items: Sequence[Item]) -> None:
        """Put messages into the outbox, and write what there is room for."""
        if self.is_closed:
            return
        for item in items:
            TALLY.merged += self.outbox.put(room, item)
        if self.is_blocked:
            self._check()
        elif not all(item.is_state for item in items) or self._get_wait_s() <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                self._get_wait_s(), self._tick
            )

    def keep_piece(self, room: str, piece: Piece) -> None:
        """Put events that many connections get into the outbox, and write what there is room for."""
        if self.is_closed:
            return
        self.outbox.put_piece(room, piece)
        self.flush()
        self._check()

    def _check(self) -> None:
        if self.outbox.is_full and not self.is_closed:
            DROPPED.labels("outbox").inc(len(self.outbox))
            self.close()
            self._on_overflow()

    def lag(self, stream: Laggard) -> None:
        """Note that this connection is behind in a room."""
        self._lags[stream.name] = stream

    def forget(self, room: str) -> None:
        """Drop what waits for a room that was left, or began anew."""
        self._lags.pop(room, None)
        self.outbox.forget(room)

    def flush(self) -> None:
        """Write what waits, as far as there is room."""
        if self.period_s and self.outbox:
            self._flushed_at = monotonic()
        while self.outbox and not self.is_blocked and self._fits():
            self._write(self._take())
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
        self.is_closed = True
        self.credit = -BUSY
        self.outbox.clear()
        self._lags.clear()
        if self._emptied is not None:
            self._emptied.set()
        if self._timer is not None:
            self._timer.cancel()

    def _fits(self) -> bool:
        oldest = self.outbox.peek()
        return (
            not isinstance(oldest, Piece) or self._get_window() >= oldest.batched.cost
        )

    def _take(self) -> Delivery:
        if isinstance(self.outbox.peek(), Piece):
            return self._take_piece()
        texts = [self._take_one()]
        if not self.has_batches:
            return Delivery(texts)
        left = min(BATCH_CHARS, self._get_window() * COUNTS_ONCE_BYTES) - len(texts[0])
        while self.outbox and left > 0 and not isinstance(self.outbox.peek(), Piece):
            texts.append(self._take_one())
            left -= len(texts[-1].encode())
        return Delivery(texts if len(texts) == 1 else [encode_batch(texts)])

    def _take_one(self) -> str:
        room, item = self.outbox.take()
        assert isinstance(item, Item)  # noqa: S101 - the callers looked
        if room == ROOMLESS:
            return item.body
        return complete(item, self._lags[room].advance(self, item.seq))

    def _take_piece(self) -> Delivery:
        room, piece = self.outbox.take()
        assert isinstance(piece, Piece)  # noqa: S101 - the caller looked
        prev = self._lags[room].advance(self, piece.items[-1].seq)
        if prev == piece.prev:
            return piece.batched
        # A state before it was merged into a newer one behind it.
        first = complete(piece.items[0], prev)
        return Delivery([encode_batch([first, *piece.shared.texts[1:]])])

    def _write(self, delivery: Delivery) -> None:
        if not self.is_closed:
            self.credit -= delivery.cost
            self.note(delivery, self.transport.write(delivery))

    def _get_window(self) -> int:
        return (
            self.credit
            + (BUSY if self._is_busy else 0)
            + (PACED if self.period_s else 0)
        )

    def _count_sent(self, unnoted: int = 0) -> int:
        extra = unnoted + sum(cost for _, cost in self._large)
        return self._acked + WINDOW - self._get_window() - extra

    def _become_free(self) -> None:
        if self._is_busy:
            self._is_busy = False
            self.credit += BUSY
        self._go_on()

    def _go_on(self) -> None:
        if not self.is_closed and not self.is_blocked and self._timer is None:
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
