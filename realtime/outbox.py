"""One connection's waiting frames: events in order, states merged by entity, bounded. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from realtime.deliveries import Delivery

MAX_OUTBOX_BYTES = 256 * 1024
MAX_OUTBOX_STATES = 512

ROOMLESS = ""


class Item(NamedTuple):
    """A message of a room at its place in the stream."""

    seq: int
    mark: str
    """`s` state, `u` one that is not kept, `e` event or `x` the end of an entity, then what it is about."""
    body: str
    """The frame without `seq`, `prev` and closing brace."""

    @property
    def is_state(self) -> bool:
        return self.mark[0] in "su"

    @property
    def size_bytes(self) -> int:
        return len(self.body) if self.body.isascii() else len(self.body.encode())


class Piece(NamedTuple):
    """Events that were encoded for many connections at once, and stay together."""

    items: Sequence[Item]
    prev: int
    """`seq` before them, where nothing was left out."""
    shared: Delivery
    """One frame each."""
    batched: Delivery
    """All in one frame."""

    @property
    def is_state(self) -> bool:
        return False

    @property
    def size_bytes(self) -> int:
        return len(self.batched.wire)


Entry = Item | Piece


class Outbox:
    """What waits, oldest first; a newer state of an entity takes the place of the one that waits, at the end.

    So `seq` always rises within a room, and what a reader gets is never older than what it has.
    """

    __slots__ = ("_entries", "_numbers", "_states", "size_bytes")

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str | int], Entry] = {}
        self._numbers = count()
        self._states = 0
        self.size_bytes = 0

    def put(self, room: str, item: Item) -> bool:
        """Keep a room's message, and return whether it took the place of one; `ROOMLESS` ones are whole frames."""
        if not item.is_state:
            self._entries[room, next(self._numbers)] = item
            self.size_bytes += item.size_bytes
            return False
        older = self._entries.pop((room, item.mark), None)
        if older is None:
            self._states += 1
        else:
            self.size_bytes -= older.size_bytes
        self._entries[room, item.mark] = item
        self.size_bytes += item.size_bytes
        return older is not None

    def put_piece(self, room: str, piece: Piece) -> None:
        """Keep events that many connections wait for, encoded once."""
        self._entries[room, next(self._numbers)] = piece
        self.size_bytes += piece.size_bytes

    def peek(self) -> Entry:
        """Return the oldest; something has to wait."""
        return next(iter(self._entries.values()))

    def take(self) -> tuple[str, Entry]:
        """Return and forget the oldest, with its room.

        Raises:
            KeyError: nothing waits.
        """
        key = next(iter(self._entries), None)
        if key is None:
            raise KeyError("Nothing waits.")
        return key[0], self._remove(key)

    def forget(self, room: str) -> None:
        """Drop what waits for a room."""
        for key in [key for key in self._entries if key[0] == room]:
            self._remove(key)

    def clear(self) -> None:
        self._entries.clear()
        self.size_bytes = self._states = 0

    @property
    def is_full(self) -> bool:
        return self.size_bytes > MAX_OUTBOX_BYTES or self._states > MAX_OUTBOX_STATES

    def _remove(self, key: tuple[str, str | int]) -> Entry:
        item = self._entries.pop(key)
        self.size_bytes -= item.size_bytes
        self._states -= item.is_state
        return item

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return ((key[0], item) for key, item in self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)
