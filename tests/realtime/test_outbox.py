from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.deliveries import Delivery
from realtime.outbox import (
    MAX_OUTBOX_BYTES,
    MAX_OUTBOX_STATES,
    ROOMLESS,
    Item,
    Outbox,
    Piece,
)

MARKS = st.sampled_from(["sa", "sb", "uc", "e", "ea", "xa", "xb"])
ROOMS = st.sampled_from(["one", "two"])


def fill(entries: list[tuple[str, str]]) -> tuple[Outbox, list[tuple[str, Item]]]:
    outbox, put = Outbox(), []
    seqs = {"one": 0, "two": 0}
    for room, mark in entries:
        seqs[room] += 1
        item = Item(seqs[room], mark, f"body {room} {seqs[room]} ä")
        outbox.put(room, item)
        put.append((room, item))
    return outbox, put


def drain(outbox: Outbox) -> list[tuple[str, Item]]:
    taken: list[tuple[str, Item]] = []
    while outbox:
        room, item = outbox.take()
        assert isinstance(item, Item)
        taken.append((room, item))
    return taken


@given(st.lists(st.tuples(ROOMS, MARKS), max_size=60))
def test_outbox_keeps_its_promises(entries):
    outbox, put = fill(entries)
    assert outbox.size_bytes == sum(item.size_bytes for _, item in outbox)

    taken = drain(outbox)

    assert outbox.size_bytes == 0
    for room in ("one", "two"):
        seqs = [item.seq for where, item in taken if where == room]
        assert seqs == sorted(set(seqs))
        # Nothing newer than what came last, and that is there.
        last = [item.seq for where, item in put if where == room][-1:]
        assert seqs[-1:] == last
    assert [pair for pair in put if not pair[1].is_state] == [
        pair for pair in taken if not pair[1].is_state
    ]
    newest = {(room, item.mark): item for room, item in put if item.is_state}
    kept = {(room, item.mark): item for room, item in taken if item.is_state}
    assert newest == kept


def test_state_takes_the_place_of_an_older_one_at_the_end():
    outbox, _ = fill([("one", "sa"), ("one", "e"), ("one", "sa")])

    assert [item.seq for _, item in drain(outbox)] == [2, 3]


def test_put_tells_whether_it_replaced():
    outbox = Outbox()

    assert not outbox.put("one", Item(1, "sa", ""))
    assert outbox.put("one", Item(2, "sa", ""))
    assert not outbox.put("two", Item(1, "sa", ""))
    assert not outbox.put("one", Item(3, "e", ""))
    assert not outbox.put("one", Item(4, "e", ""))


def test_room_that_is_left_takes_what_waits_for_it_along():
    outbox, _ = fill([("one", "sa"), ("two", "e"), ("one", "e")])

    outbox.forget("one")

    assert [room for room, _ in drain(outbox)] == ["two"]
    assert outbox.size_bytes == 0


def test_bytes_are_bounded():
    outbox = Outbox()
    outbox.put(ROOMLESS, Item(0, "e", "x" * MAX_OUTBOX_BYTES))
    assert not outbox.is_full

    outbox.put(ROOMLESS, Item(0, "e", "x"))

    assert outbox.is_full


def test_entities_are_bounded_and_events_only_by_their_bytes():
    outbox = Outbox()
    for number in range(MAX_OUTBOX_STATES):
        outbox.put("one", Item(2 * number, f"s{number}", "x"))
        outbox.put("one", Item(2 * number + 1, "e", "x"))
    assert not outbox.is_full

    outbox.put("one", Item(9_999, "sanother", "x"))

    assert outbox.is_full


def test_piece_counts_as_it_was_encoded():
    outbox, batched = Outbox(), Delivery(["[a,b]"])
    items = [Item(1, "e", "a"), Item(2, "e", "b")]

    outbox.put_piece("one", Piece(items, 0, Delivery(["a", "b"]), batched))

    assert outbox.size_bytes == len(batched.wire)
    assert outbox.peek() is outbox.take()[1] or not outbox
    assert outbox.size_bytes == 0


def test_empty_outbox_has_nothing_to_take():
    with pytest.raises(KeyError, match="Nothing waits"):
        Outbox().take()


def test_cleared_outbox_is_empty():
    outbox, _ = fill([("one", "sa"), ("two", "e")])

    outbox.clear()

    assert (len(outbox), outbox.size_bytes, outbox.is_full) == (0, 0, False)
