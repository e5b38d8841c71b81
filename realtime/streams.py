"""A room as one process has it: its place in the stream, what happened lately, and the connections that are in it.

Messages come in through `receive`, which takes nobody's word for their order: what came twice is dropped, and a gap is an error that
the hub heals. They go out together, once per turn of the event loop; where only states came they go at most every 20 ms, and newer
ones replace older ones on the way.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from time import monotonic, time
from typing import Any, cast

from realtime.deliveries import Delivery
from realtime.history import KEPT_MESSAGES, STATE_KEPT_S, Position, Snapshot, State
from realtime.links import Link, complete, encode_batch
from realtime.messages import Joined, encode_body
from realtime.metrics import TALLY
from realtime.outbox import Item, Outbox, Piece
from realtime.rooms import Room

TICK_S = 0.02
"""Between two rounds of states."""
REPLAYED_AT_A_TIME = 32
WRITTEN_AT_A_TIME = 32 * 1024
"""Characters."""
FEW_LINKS = 4
MAX_EARLY = 1_000
"""Batches that may come while the room is being read."""

Batch = tuple[str, int, list[tuple[str, str]]]
"""Epoch, seq of the last message, mark and body of each."""


class GapError(Exception):
    """Messages are missing, or the stream is another one."""


class Stream:
    """One room of this process."""

    def __init__(self, room: Room) -> None:
        self.room, self.name = room, room.name
        self.position = Position("", 0)
        """Of the newest message that came."""
        self.sent = 0
        """`seq` of the newest that went out to those who are up to date."""
        self.states: dict[str, State] = {}
        """By what they are about."""
        self.links: set[Link] = set()
        self.users: dict[Link, str] = {}
        self.waiting = 0
        """Joins that are not answered yet."""
        self.others = 0
        """Members in other processes."""
        self.other_users: frozenset[str] = frozenset()
        """Theirs, where the room announces members."""
        self.ready = asyncio.Event()
        """Set while `position` and `states` are known to be right."""
        self.task: asyncio.Task[None] | None = None
        self._current: set[Link] = set()
        self._lagging: dict[Link, int] = {}
        self._recent: deque[Item] = deque(maxlen=KEPT_MESSAGES)
        self._early: list[Batch] = []
        self._over: deque[str] = deque(maxlen=8)
        """Epochs that this room had before."""
        self._pending = Outbox()
        self._flush_handle: asyncio.Handle | None = None
        self._has_urgent = False
        self._flushed_at = 0.0

    @property
    def is_wanted(self) -> bool:
        return bool(self.links) or self.waiting > 0

    @property
    def member_count(self) -> int:
        return len(self.links) + self.others

    # Coming in

    def receive(self, batch: Batch) -> None:
        """Take messages, or keep them while the room is being read.

        Raises:
            GapError: some before them are missing; they are kept.
        """
        if batch[0] in self._over:
            return
        if not self.ready.is_set():
            self._early.append(batch)
            if len(self._early) > MAX_EARLY:
                self._early.clear()
            return
        epoch, last, messages = batch
        first = last - len(messages) + 1
        if epoch != self.position.epoch or first > self.position.seq + 1:
            self.ready.clear()
            self._early.append(batch)
            raise GapError(f"{self.position} is followed by {epoch}:{first}")
        known = self.position.seq + 1 - first
        if known < len(messages):
            self.take(
                [
                    Item(first + index, *messages[index])
                    for index in range(known, len(messages))
                ]
            )

    def take(self, items: Sequence[Item]) -> None:
        """Take the messages that follow directly."""
        if not items:
            return
        self.position = Position(self.position.epoch, items[-1].seq)
        self._recent.extend(items)
        is_urgent = False
        for item in items:
            if item.mark[0] != "e":
                self._remember(item)
            is_urgent = is_urgent or not item.is_state
        if (
            is_urgent
            and len(items) == 1
            and len(self.links) <= FEW_LINKS
            and not self._pending
        ):
            # To gather what else comes would cost more than it saves.
            self._write_out(items)
            return
        for item in items:
            TALLY.merged += self._pending.put(self.name, item)
        self._has_urgent = self._has_urgent or is_urgent
        self._schedule()

    def close(self) -> None:
        """Forget what waits; nobody is here any more."""
        for handle in (self._flush_handle, self.task):
            if handle is not None:
                handle.cancel()
        self._pending.clear()

    def load(self, snapshot: Snapshot) -> None:
        """Begin where the snapshot is; what waits belongs to a stream that is over."""
        self._pending.clear()
        self._has_urgent = False
        self._recent.clear()
        if self.position.epoch not in ("", snapshot.position.epoch):
            # What still comes of it is nobody's concern, and would be taken for a gap again and again.
            self._over.append(self.position.epoch)
        self.position, self.states = snapshot.position, snapshot.states
        self.sent = snapshot.position.seq

    def resume(self) -> None:
        """Go on with what came while the room was read.

        Raises:
            GapError: still something is missing.
        """
        self.ready.set()
        early, self._early = self._early, []
        for index, batch in enumerate(early):
            try:
                self.receive(batch)
            except GapError:
                self._early += early[index + 1 :]
                raise

    def _remember(self, item: Item) -> None:
        about = item.mark[1:]
        if item.mark[0] == "s":
            self.states[about] = State(item, int(time() * 1000))
        elif item.mark[0] == "x":
            self.states.pop(about, None)

    # Going out

    def _schedule(self) -> None:
        if not self._pending:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._flushed_at + TICK_S - monotonic()
        if self._has_urgent or wait_s <= 0:
            if isinstance(self._flush_handle, asyncio.TimerHandle):
                self._flush_handle.cancel()
                self._flush_handle = None
            self._flush_handle = self._flush_handle or loop.call_soon(self._tick)
        elif self._flush_handle is None:
            self._flush_handle = loop.call_later(wait_s, self._tick)

    def flush(self) -> None:
        """Write everything that came to everybody in the room, now."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        while self._pending:
            self._write_some()

    def _tick(self) -> None:
        self._flush_handle = None
        if self._pending:
            self._write_some()
        if self._pending:
            # A flood goes in pieces, so that others get their turn, and who cannot take it all keeps no more than its outbox.
            self._flush_handle = asyncio.get_running_loop().call_soon(self._tick)

    def _write_some(self) -> None:
        self._flushed_at = monotonic()
        items: list[Item] = []
        chars = 0
        while self._pending and chars < WRITTEN_AT_A_TIME:
            item = cast(Item, self._pending.take()[1])
            items.append(item)
            chars += len(item.body)
        self._has_urgent = bool(self._pending)
        self._write_out(items)

    def _write_out(self, items: Sequence[Item]) -> None:
        prev, self.sent = self.sent, items[-1].seq
        piece = Piece(items, prev, *_encode(items, prev))
        for link in tuple(self._lagging):
            self._keep(link, piece)
        self._write(piece)
        TALLY.delivered += len(items) * len(self.links)

    def _keep(self, link: Link, piece: Piece) -> None:
        # What is encoded already stays so, unless a state in it may be merged.
        if (
            len(piece.items) > 1
            and link.has_batches
            and not link.period_s
            and not any(item.is_state for item in piece.items)
        ):
            link.keep_piece(self.name, piece)
        else:
            link.keep(self.name, piece.items)

    def _write(self, piece: Piece) -> None:
        """Write to those who are up to date. Each step here is paid once per delivery, so it calls as little as it can."""
        plain, batched, prev = piece.shared, piece.batched, piece.prev
        for link in tuple(self._current):
            shared = batched if link.has_batches else plain
            if link.credit < shared.cost:
                self._fall_behind(link, prev)
                self._keep(link, piece)
            elif link.push is None:
                link.write(shared)
            else:
                link.credit -= shared.cost
                waits = link.push(shared.wire)
                if waits or shared.is_large:
                    link.note(shared, waits)

    def _fall_behind(self, link: Link, seq: int) -> None:
        self._current.discard(link)
        self._lagging[link] = seq
        link.lag(self)

    def advance(self, link: Link, seq: int) -> int:
        prev, self._lagging[link] = self._lagging[link], seq
        return prev

    def catch_up(self, link: Link) -> None:
        if link in self._lagging:
            del self._lagging[link]
            self._current.add(link)

    # Members

    def admit(
        self, link: Link, *, ref: str | None, missed: Sequence[Item] | None
    ) -> None:
        """Answer a join, and put the connection in; with what it missed, or a snapshot where that is None."""
        self.flush()
        link.forget(self.name)
        self.links.add(link)
        if missed is None:
            link.reply(self._welcome(ref=ref))
            self._start(link, self.sent)
            return
        before = missed[0].seq - 1 if missed else self.sent
        link.reply(self._welcome(ref=ref, recovered_from=before))
        written = 0
        # As it was, unmerged, as long as the connection takes it.
        while written < len(missed) and link.is_free:
            items = missed[written : written + REPLAYED_AT_A_TIME]
            plain, batched = _encode(items, before)
            link.write(batched if link.has_batches else plain)
            written, before = written + len(items), items[-1].seq
        self._start(link, before)
        if rest := missed[written:]:
            link.keep(self.name, rest)

    def get_since(self, since: Position) -> list[Item] | None:
        """Return what came after a position, as far as this process remembers; None where it does not reach back."""
        if since.epoch != self.position.epoch or since.seq > self.position.seq:
            return None
        count = self.position.seq - since.seq
        if count > len(self._recent):
            return None
        return list(self._recent)[len(self._recent) - count :] if count else []

    def remove(self, link: Link) -> None:
        """Let a connection go."""
        self.links.discard(link)
        self._current.discard(link)
        self._lagging.pop(link, None)
        link.forget(self.name)

    def tell_anew(self) -> None:
        """Put everybody in anew, with a snapshot: what they have belongs to a stream that is over."""
        text = self._welcome(ref=None)
        for link in tuple(self.links):
            link.forget(self.name)
            link.reply(text)
            self._start(link, self.sent)

    def _start(self, link: Link, seq: int) -> None:
        self._lagging.pop(link, None)
        self._current.discard(link)
        if seq == self.sent and link.is_free:
            self._current.add(link)
        else:
            self._fall_behind(link, seq)

    def _welcome(self, *, ref: str | None, recovered_from: int | None = None) -> str:
        snapshot: list[Any] | None = [] if recovered_from is None else None
        message = Joined(
            room=self.name,
            epoch=self.position.epoch,
            seq=self.sent if recovered_from is None else recovered_from,
            recovered=recovered_from is not None,
            snapshot=snapshot,
            members=self.member_count,
        )
        body = encode_body(message, room=self.name)
        if snapshot is not None:
            body = body.replace(
                '"snapshot":[]', f'"snapshot":[{self._encode_states()}]', 1
            )
        return f'{body},"ref":{json.dumps(ref)}}}' if ref is not None else f"{body}}}"

    def _encode_states(self) -> str:
        oldest_ms = (time() - STATE_KEPT_S) * 1000
        return ",".join(
            f'{state.item.body},"seq":{state.item.seq}}}'
            for state in sorted(self.states.values(), key=lambda each: each.item.seq)
            if state.kept_at_ms > oldest_ms
        )


def _encode(items: Sequence[Item], prev: int) -> tuple[Delivery, Delivery]:
    """Return the frames one by one, and as one batch where there are several."""
    texts = []
    for item in items:
        texts.append(complete(item, prev))
        prev = item.seq
    plain = Delivery(texts)
    return plain, Delivery([encode_batch(texts)]) if len(texts) > 1 else plain
