"""What a connection has after something went wrong: everything once, or a snapshot and the word that it is one."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from realtime.history import RoomMessages, SenderHistory
from realtime.hub import Guest, Hub, get_hub
from realtime.links import Link
from realtime.publishing import flush, publish
from realtime.testing import connect, faults
from realtime.transports import AsgiTransport
from tests.realtime.lab import (
    BenchRoom,
    LabDone,
    LabEnd,
    LabProgress,
    LabRoom,
    MembersRoom,
    make_application,
    make_visitor,
)


def progress(lab_id: int, percent: float, *, folder: str | None = None) -> LabProgress:
    return LabProgress(lab_id=lab_id, percent=percent, eta_seconds=None, folder=folder)


async def say(*numbers: int) -> None:
    for number in numbers:
        publish(LabRoom(), LabDone(lab_id=number))
    assert await asyncio.to_thread(flush, timeout_s=5)


def heard(connection: Any) -> list[int]:
    return [f["data"]["lab_id"] for f in connection.frames if f["type"] == "lab_done"]


async def open_one() -> Any:
    return await connect(make_application(make_visitor()))


async def test_missed_messages_follow_the_answer_exactly(connection):
    joined = await connection.join("lab")
    await say(1, 2, 3)
    await connection.expect("lab_done", lab_id=3)
    epoch, seq = joined["data"]["epoch"], connection.frames[-3]["seq"]

    async with await open_one() as other:
        answer = await other.join("lab", since=(epoch, seq))
        await other.expect("lab_done", lab_id=3)
        await other.ping()

    assert answer["data"]["recovered"] is True
    assert answer["data"]["snapshot"] is None
    assert (answer["data"]["epoch"], answer["data"]["seq"]) == (epoch, seq)
    assert heard(other) == [2, 3]
    assert [f["prev"] for f in other.frames if f["type"] == "lab_done"] == [
        seq,
        seq + 1,
    ]


async def test_nothing_missed_is_recovered_too(connection):
    joined = await connection.join("lab")

    again = await connection.join(
        "lab", since=(joined["data"]["epoch"], joined["data"]["seq"])
    )

    assert (again["data"]["recovered"], again["data"]["snapshot"]) == (True, None)


async def test_history_of_the_broker_reaches_back_further_than_this_process(connection):
    await say(*range(20))
    joined = await connection.join("lab")
    epoch = joined["data"]["epoch"]
    assert joined["data"]["seq"] == 20

    answer = await connection.join("lab", since=(epoch, 5))
    await connection.expect("lab_done", lab_id=19)

    assert answer["data"]["recovered"] is True
    assert heard(connection) == list(range(5, 20))


@pytest.mark.parametrize("since", [("another", 3), (None, 10_000), (None, 0)])
async def test_what_history_cannot_give_is_said_and_a_snapshot_given(
    connection, since, monkeypatch
):
    publish(LabRoom(), progress(1, 10))
    await say(*range(600))
    publish(LabRoom(), progress(2, 20))
    await say(1)
    epoch = (await connection.join("lab"))["data"]["epoch"]

    answer = await connection.join("lab", since=(since[0] or epoch, since[1]))

    data = answer["data"]
    assert (data["recovered"], data["epoch"], data["seq"]) == (False, epoch, 603)
    assert [(f["type"], f["seq"], f["data"]["percent"]) for f in data["snapshot"]] == [
        ("lab_progress", 1, 10),
        ("lab_progress", 602, 20),
    ]


async def test_entity_that_ended_is_not_in_the_snapshot(connection):
    for lab_id in (1, 2):
        publish(LabRoom(), progress(lab_id, 50))
    publish(LabRoom(), LabEnd(lab_id=1))
    await say(1)

    first = await connection.join("lab")
    publish(LabRoom(), LabEnd(lab_id=2))
    await connection.expect("lab_end", lab_id=2)
    second = await connection.join("lab")

    assert [f["data"]["lab_id"] for f in first["data"]["snapshot"]] == [2]
    assert second["data"]["snapshot"] == []


async def test_joins_under_fire_lose_nothing_and_hear_nothing_twice(layer):
    async def visit(number: int) -> list[int]:
        async with await open_one() as connection:
            joined = await connection.join("lab")
            await connection.expect("lab_done", lab_id=999)
            seqs = [f["seq"] for f in connection.frames if "seq" in f]
            assert seqs[0] == joined["data"]["seq"] + 1
            assert all(b == a + 1 for a, b in pairwise(seqs))
            return seqs

    async def fire() -> None:
        for number in range(1_000):
            publish(LabRoom(), LabDone(lab_id=number))
            await asyncio.sleep(0)

    async with await open_one() as witness:
        await witness.join("lab")
        visits = [asyncio.create_task(visit(number)) for number in range(10)]
        await asyncio.sleep(0)
        await fire()
        for found in await asyncio.gather(*visits):
            assert found[-1] == 1_000
        await witness.expect("lab_done", lab_id=999)
        assert heard(witness) == list(range(1_000))


async def test_silent_loss_is_found_by_comparing(connection):
    await connection.join("lab")

    with faults() as network:
        network.drop()
        await say(1)
        # What the next probe does anyway, within seconds.
        await get_hub().on_probe(is_back=False)
        await connection.expect("lab_done", lab_id=1)

    assert heard(connection) == [1]


@pytest.mark.fault
@pytest.mark.parametrize("has_data", [True, False])
async def test_broker_that_is_restarted_under_fire(layer, broker, has_data):
    """With its data nothing is lost; without, everybody is put in anew, and hears all that came after."""
    get_hub().uplink.probe_s = get_hub().uplink.probe_timeout_s = 0.2
    get_hub().uplink.min_backoff_s = 0.05
    async with await open_one() as connection:
        joined = await connection.join("lab")
        await say(*range(10))
        await connection.expect("lab_done", lab_id=9)

        broker.kill()
        for number in range(10, 20):
            publish(LabRoom(), LabDone(lab_id=number))
        publish(LabRoom(), progress(7, 70))
        if not has_data:
            broker.forget()
        broker.start()
        if has_data:
            await connection.expect("lab_progress", lab_id=7)
            anew = []
        else:
            anew = [await connection.expect("joined", room="lab")]
        await say(20)
        await connection.expect("lab_done", lab_id=20)

    if has_data:
        assert heard(connection) == list(range(21))
        return
    assert "ref" not in anew[0]
    assert anew[0]["data"]["epoch"] != joined["data"]["epoch"]
    assert len(set(heard(connection))) == len(heard(connection))
    states = [f["data"]["lab_id"] for f in anew[0]["data"]["snapshot"]]
    states += [
        f["data"]["lab_id"] for f in connection.frames if f["type"] == "lab_progress"
    ]
    assert states == [7]


async def test_broker_that_went_back_in_time_begins_another_stream(layer, connection):
    joined = await connection.join("lab")
    await say(*range(5))
    await connection.expect("lab_done", lab_id=4)
    hub = get_hub()
    stream = hub.streams["lab"]

    # As after a power cut: the numbers of the last messages would be given again.
    client: Any = hub.history._client
    await client.hset(hub.history._keys.get_meta("lab"), "s", 2)
    await client.delete(hub.history._keys.get_log("lab"))
    hub._bring_up(stream)
    await say(99)
    anew = await connection.expect("joined", room="lab")
    await say(100)
    await connection.expect("lab_done", lab_id=100)

    assert "ref" not in anew
    assert anew["data"]["epoch"] != joined["data"]["epoch"]
    assert stream.ready.is_set()
    assert not stream._early


async def test_late_message_of_a_stream_that_is_over_is_dropped(connection):
    await connection.join("lab")
    await say(1)
    await connection.expect("lab_done", lab_id=1)
    hub = get_hub()
    stream = hub.streams["lab"]
    old = stream.position.epoch
    await hub.history.restart("lab", old)
    hub._bring_up(stream)
    await connection.expect("joined", room="lab")

    stream.receive((old, 2, [("e", '{"type":"lab_done","data":{}')]))
    await say(2)

    await connection.expect("lab_done", lab_id=2)
    assert heard(connection) == [1, 2]


async def test_publishers_in_parallel_make_one_stream_without_a_hole(layer):
    def fire(name: str) -> None:
        history = SenderHistory(timeout_s=5)
        for number in range(100):
            message = ("e", f'{{"type":"lab_done","data":{{"lab_id":"{name}{number}"}}')
            history.publish({LabRoom().group: [RoomMessages("lab", [message])]})
        history.close()

    async with await open_one() as connection:
        await connection.join("lab")
        await asyncio.gather(*(asyncio.to_thread(fire, name) for name in "abcd"))
        while len(heard(connection)) < 400:
            await connection.receive()

    seqs = [f["seq"] for f in connection.frames if "seq" in f]
    assert seqs == list(range(1, 401))
    for name in "abcd":
        own = [text for text in map(str, heard(connection)) if text[0] == name]
        assert own == [f"{name}{number}" for number in range(100)]


async def test_clocks_that_differ_change_no_order(layer, monkeypatch):
    """Of two publishers, one ten seconds ahead: what counts is when the broker had it."""
    ahead = threading.local()
    monkeypatch.setattr(
        "realtime.messages.time_ns",
        lambda: time.time_ns() + getattr(ahead, "ns", 0),
    )

    def say_from(name: str, skew_s: int, percent: float) -> None:
        ahead.ns = skew_s * 10**9
        publish(LabRoom(), progress(7, percent, folder=name))
        assert flush(timeout_s=5)

    async with await open_one() as connection:
        await connection.join("lab")
        for percent in range(10):
            await asyncio.to_thread(say_from, "late", 10, percent)
            await asyncio.to_thread(say_from, "early", 0, percent)
            await connection.expect("lab_progress", percent=percent, folder="early")
        heard = [f for f in connection.frames if f["type"] == "lab_progress"]
        later = await connection.join("lab")

    stamps = [frame["timestamp"] for frame in heard]
    assert stamps != sorted(stamps)
    assert [frame["seq"] for frame in heard] == sorted({f["seq"] for f in heard})
    assert [f["data"]["folder"] for f in later["data"]["snapshot"]] == ["early"]


async def test_number_that_was_used_is_not_used_again(sync_layer_in_thread):
    history, call = sync_layer_in_thread
    assert call() == 0
    history._numbers.clear()

    assert call() == -1


@pytest.fixture
async def sync_layer_in_thread(layer):
    history = SenderHistory(timeout_s=5)

    def call() -> int:
        groups = {"group": [RoomMessages("lab", [("e", "{}")])]}
        return history.publish(groups)["group"]

    yield history, call
    history.close()


class Other:
    """A process of its own, as far as the broker can tell: a hub beside this loop's."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.links: list[Link] = []

    async def enter(self, room: Any, user: str) -> Link:
        async def send(event: Any) -> None:
            return

        async def dismiss(after_ms: int) -> None:
            return

        link = Link(AsgiTransport(send), on_overflow=lambda: None)
        self.hub.add(Guest(link, "user:0", lambda: None, dismiss))
        await self.hub.join(link, room, user=user)
        self.links.append(link)
        return link

    async def tell(self) -> None:
        await self.hub.presence.keep(self.hub.history)


class GuardedRoom(MembersRoom):
    pattern = "guarded:{key}"
    announces_members = True

    def may_join(self, user: Any) -> bool:
        return True


async def test_members_are_counted_over_processes(connection):
    other = Other()
    await other.enter(BenchRoom(key="a"), "tom")
    await other.enter(BenchRoom(key="a"), "eve")
    await other.tell()

    joined = await connection.join("bench:a")
    await other.hub.aclose()

    assert joined["data"]["members"] == 3


async def test_members_come_and_go_where_the_room_says_so(connection):
    room = GuardedRoom(key="a")
    await connection.join(room)
    await connection.expect("member_joined")
    other = Other()

    first, second = await other.enter(room, "tom"), await other.enter(room, "tom")
    came = await connection.expect("member_joined")
    other.hub.remove(first)
    other.hub.remove(second)
    gone = await connection.expect("member_left")
    await other.hub.aclose()

    assert (came["data"], gone["data"]) == ({"user": "tom"}, {"user": "tom"})
    kinds = [f["type"] for f in connection.frames]
    assert (kinds.count("member_joined"), kinds.count("member_left")) == (2, 1)


async def test_members_of_a_killed_process_leave_once_it_is_silent(
    connection, monkeypatch
):
    monkeypatch.setattr("realtime.presence.EXPIRES_MS", 100)
    monkeypatch.setattr("realtime.presence.WRITE_EVERY_S", 0.0)
    room = GuardedRoom(key="b")
    await connection.join(room)
    await connection.expect("member_joined")
    other = Other()
    await other.enter(room, "tom")
    await connection.expect("member_joined", user="tom")
    await other.tell()
    await other.hub.aclose()

    hub = get_hub()
    async with asyncio.timeout(5):
        while not any(f["type"] == "member_left" for f in connection.frames):
            await asyncio.sleep(0.05)
            await hub.presence.keep(hub.history)
            await connection.ping()

    assert connection.frames[-2]["data"] == {"user": "tom"} or any(
        f["type"] == "member_left" and f["data"] == {"user": "tom"}
        for f in connection.frames
    )
