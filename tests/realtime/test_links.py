from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from realtime.deliveries import WINDOW, Delivery
from realtime.links import Link
from realtime.outbox import MAX_OUTBOX_BYTES, Item, Piece


class Wire:
    """A transport that keeps what is written; `has_room` is its server taking everything."""

    def __init__(self) -> None:
        self.push: Callable[[bytes], object] | None = None
        self.on_free: Any = None
        self.texts: list[str] = []
        self.has_room = True

    def write(self, delivery: Delivery) -> bool:
        self.texts.extend(delivery.texts)
        return not self.has_room

    async def close(self, code: int, *, last: str) -> None: ...

    def listen(self, take: Any) -> None: ...

    def discard(self) -> None: ...

    @property
    def frames(self) -> list[Any]:
        return [json.loads(text) for text in self.texts]


class Room:
    """A stream with one connection that is behind."""

    name = "lab"

    def __init__(self, link: Link) -> None:
        self.seq = 0
        self.caught_up = 0
        link.lag(self)

    def advance(self, link: Link, seq: int) -> int:
        prev, self.seq = self.seq, seq
        return prev

    def catch_up(self, link: Link) -> None:
        self.caught_up += 1


class Desk:
    def __init__(self, **hello: Any) -> None:
        self.wire = Wire()
        self.overflows = 0
        self.link = Link(self.wire, on_overflow=self.overflow)
        if hello:
            self.link.greet(**{"acks": False, "batch": False, "max_hz": None} | hello)
        self.room = Room(self.link)

    def overflow(self) -> None:
        self.overflows += 1

    def keep(self, *marks: str, first: int) -> None:
        items = [
            Item(first + index, mark, '{"data":{}') for index, mark in enumerate(marks)
        ]
        self.link.keep("lab", items)


def shared(*texts: str) -> Delivery:
    return Delivery(texts)


def test_shared_frames_go_as_they_are():
    desk = Desk()

    assert desk.link.write(shared("a", "b"))

    assert desk.wire.texts == ["a", "b"]


def test_busy_transport_keeps_and_flushes_once_it_is_free():
    desk = Desk()
    desk.wire.has_room = False
    assert desk.link.write(shared("a"))
    assert not desk.link.write(shared("b"))

    desk.keep("e", "slab", "slab", first=1)
    desk.link.reply("reply")
    assert desk.wire.texts == ["a"]
    desk.wire.has_room = True
    desk.wire.on_free()

    assert desk.wire.texts[-1] == "reply"
    chain = [(f["prev"], f["seq"]) for f in map(json.loads, desk.wire.texts[1:-1])]
    assert chain == [(0, 1), (1, 3)]
    assert desk.room.caught_up == 1


def test_window_of_a_client_that_acknowledges():
    desk = Desk(acks=True)
    for number in range(WINDOW):
        assert desk.link.write(shared(str(number)))

    assert not desk.link.write(shared("one too many"))
    assert desk.link.acknowledge(10)
    for number in range(10):
        assert desk.link.write(shared(str(number)))
    assert not desk.link.write(shared("one too many"))

    assert desk.link.unacked == WINDOW


def test_window_counts_bytes_too():
    desk = Desk(acks=True)
    large = "x" * 100_000

    assert desk.link.write(shared(large))
    assert desk.link.write(shared(large))
    assert not desk.link.write(shared(large))
    desk.link.acknowledge(1)

    assert desk.link.write(shared(large))
    desk.link.acknowledge(3)
    assert desk.link.unacked == 0


def test_delivery_that_does_not_fit_is_not_begun():
    desk = Desk(acks=True)
    desk.link.write(shared(*"x" * 60))

    assert not desk.link.write(shared(*"y" * 5))
    desk.keep(*["e"] * 6, first=1)

    assert len(desk.wire.texts) == WINDOW


def test_frame_larger_than_the_window_goes_once_nothing_is_under_way():
    desk = Desk(acks=True)
    huge = shared("x" * 1_000_000)
    desk.link.write(shared("a"))

    assert not desk.link.write(huge)
    desk.link.acknowledge(1)
    assert desk.link.write(huge)
    assert not desk.link.write(shared("a"))
    desk.link.acknowledge(2)

    assert desk.link.write(shared("a"))


def test_acknowledging_more_than_was_sent_counts_as_all():
    desk = Desk(acks=True)
    desk.link.write(shared("a"))

    assert desk.link.acknowledge(1_000)
    assert not desk.link.acknowledge(1_000)
    desk.link.write(shared("b"))

    assert desk.link.unacked == 1


def test_acknowledgement_without_hello_is_no_news():
    desk = Desk()
    desk.link.write(shared("a"))

    assert not desk.link.acknowledge(1)


def test_what_waits_goes_as_one_batch_where_the_client_takes_batches():
    desk = Desk(acks=True, batch=True)
    for number in range(WINDOW):
        desk.link.write(shared(str(number)))
    desk.keep(*["e"] * 5, first=1)

    desk.link.acknowledge(WINDOW)

    batch = desk.wire.frames[-1]
    assert batch["type"] == "batch"
    assert [(f["prev"], f["seq"]) for f in batch["data"]["messages"]] == [
        (number - 1, number) for number in range(1, 6)
    ]
    assert desk.room.caught_up == 1


def test_piece_goes_as_it_was_encoded():
    desk = Desk(batch=True)
    desk.wire.has_room = False
    desk.link.write(shared("a"))
    items = [Item(1, "e", '{"n":1'), Item(2, "e", '{"n":2')]
    batched = shared('{"a batch":0}')
    desk.link.keep_piece("lab", Piece(items, 0, shared("1", "2"), batched))

    desk.wire.has_room = True
    desk.wire.on_free()

    assert desk.wire.texts[-1] is batched.texts[0]
    assert desk.room.seq == 2


def test_piece_behind_a_merged_state_has_a_chain_of_its_own():
    desk = Desk(batch=True)
    desk.wire.has_room = False
    desk.link.write(shared("a"))
    desk.keep("slab", first=1)
    items = [Item(2, "e", '{"n":2'), Item(3, "e", '{"n":3')]
    texts = shared('{"n":2,"seq":2,"prev":1}', '{"n":3,"seq":3,"prev":2}')
    desk.link.keep_piece("lab", Piece(items, 1, texts, shared("batched")))
    desk.keep("slab", first=4)

    desk.wire.has_room = True
    desk.wire.on_free()

    sent: list[Any] = []
    for frame in desk.wire.texts[1:]:
        read = json.loads(frame)
        sent += read["data"]["messages"] if read.get("type") == "batch" else [read]
    assert [(frame["prev"], frame["seq"]) for frame in sent] == [(0, 2), (2, 3), (3, 4)]


async def test_client_gets_no_more_states_a_second_than_it_wants():
    desk = Desk(max_hz=20)
    assert not desk.link.write(shared("a"))
    desk.keep("slab", first=1)
    for seq in range(2, 10):
        desk.keep("slab", first=seq)
    assert [frame["seq"] for frame in desk.wire.frames] == [1]

    async with asyncio.timeout(5):
        while len(desk.wire.texts) < 2:  # noqa: ASYNC110 - nothing tells of a write
            await asyncio.sleep(0.005)

    assert [(f["prev"], f["seq"]) for f in desk.wire.frames] == [(0, 1), (1, 9)]


async def test_event_does_not_wait_for_the_pace_nor_overtakes_the_state_before_it():
    desk = Desk(max_hz=1)
    desk.keep("slab", first=1)
    desk.keep("slab", first=2)

    desk.keep("e", first=3)

    assert [frame["seq"] for frame in desk.wire.frames] == [1, 2, 3]
    desk.link.close()


def test_overflow_is_told_once_and_nothing_is_kept_afterwards():
    desk = Desk()
    desk.wire.has_room = False
    desk.link.write(shared("a"))
    body = '{"x":"' + "x" * (MAX_OUTBOX_BYTES // 2) + '"'

    for seq in range(1, 9):
        desk.link.keep("lab", [Item(seq, "e", body)])

    assert desk.overflows == 1
    assert not desk.link.outbox
    assert not desk.link.write(shared("b"))


async def test_waiting_until_empty_ends_when_it_is():
    desk = Desk()
    await desk.link.wait_until_empty()
    desk.wire.has_room = False
    desk.link.write(shared("a"))
    desk.keep("e", first=1)
    waiting = asyncio.create_task(desk.link.wait_until_empty())
    await asyncio.sleep(0)
    assert not waiting.done()

    desk.wire.has_room = True
    desk.wire.on_free()

    await asyncio.wait_for(waiting, 1)


@pytest.mark.parametrize("end", ["close", "forget"])
def test_room_that_was_left_sends_nothing_more(end):
    desk = Desk()
    desk.wire.has_room = False
    desk.link.write(shared("a"))
    desk.keep("e", "slab", first=1)

    if end == "close":
        desk.link.close()
    else:
        desk.link.forget("lab")
    desk.wire.has_room = True
    desk.wire.on_free()

    assert desk.wire.texts == ["a"]
