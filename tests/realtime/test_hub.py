from __future__ import annotations

import asyncio
import gc
import json
import signal
from collections.abc import Callable

import pytest

from realtime.exceptions import PausedError
from realtime.hub import CONTROL_GROUP, RECHECK_AGAIN_S, Guest, Hub, get_hub
from realtime.limits import seats
from realtime.links import Link
from realtime.publishing import publish
from realtime.testing import connect, virtual_clock
from realtime.transports import AsgiTransport
from tests.realtime.lab import (
    BenchRoom,
    LabDone,
    LabRoom,
    make_application,
    make_visitor,
)


@pytest.fixture
async def hub(layer):
    hub = get_hub()
    hub.uplink.probe_s = hub.uplink.probe_timeout_s = 0.2
    hub.uplink.join_timeout_s = 0.5
    hub.uplink.min_backoff_s = 0.05
    return hub


class Member(Link):
    """A link that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__(AsgiTransport(self.keep_text), on_overflow=lambda: None)
        self.texts: list[str] = []
        self.changed = asyncio.Event()

    async def keep_text(self, event: dict[str, str]) -> None:
        self.texts.append(event["text"])
        self.changed.set()

    async def until(self, text: str, *, count: int = 1) -> None:
        """Wait until so many texts contain this one."""
        while sum(text in kept for kept in self.texts) < count:
            self.changed.clear()
            await self.changed.wait()

    @property
    def kinds(self) -> list[str]:
        return [json.loads(text)["type"] for text in self.texts]


def make_member(hub: Hub) -> Member:
    member = Member()
    hub.add(make_guest(member))
    return member


def make_guest(link: Link, *, recheck: Callable[[], None] = lambda: None) -> Guest:
    async def dismiss(after_ms: int) -> None:
        link.close()

    return Guest(link, "user:1", recheck, dismiss)


async def settle(hub: Hub) -> None:
    def list_tasks() -> list[asyncio.Task[None]]:
        feeds = [feed.task for feed in hub.uplink.feeds.values()]
        streams = [stream.task for stream in hub.streams.values()]
        tasks = [*feeds, *streams, hub._writer]
        return [task for task in tasks if task and not task.done()]

    while tasks := list_tasks():
        await asyncio.wait(tasks)


async def test_loop_has_one_hub(layer):
    assert get_hub() is get_hub()


async def test_hundred_joins_of_a_room_at_once_make_one_subscription(
    hub, layer, monkeypatch
):
    added = []
    group_add = layer.group_add

    async def count(group, channel):
        added.append(group)
        await group_add(group, channel)

    monkeypatch.setattr(layer, "group_add", count, raising=False)
    members = [make_member(hub) for _ in range(100)]

    await asyncio.gather(*(hub.join(member, LabRoom()) for member in members))

    assert added.count(LabRoom().group) == 1
    assert set(added) == {LabRoom().group, CONTROL_GROUP}
    assert hub.streams["lab"].links == set(members)


async def test_last_one_to_leave_takes_the_group_along(hub, layer):
    first, second = make_member(hub), make_member(hub)
    for member in (first, second):
        await hub.join(member, LabRoom())

    hub.leave(first, "lab")
    await settle(hub)
    assert len(layer.groups) == 2
    hub.leave(second, "lab")
    await settle(hub)

    assert list(hub.uplink.feeds) == [CONTROL_GROUP]
    assert len(layer.groups) == 1
    assert hub.streams == {}


async def test_leave_and_join_that_cross_end_joined(hub):
    transport = make_member(hub)
    await hub.join(transport, LabRoom())

    for _ in range(20):
        hub.leave(transport, "lab")
        await hub.join(transport, LabRoom())

    publish(LabRoom(), LabDone(lab_id=1))
    await transport.until("lab_done")
    assert transport.kinds == ["joined"] * 21 + ["lab_done"]


async def test_connection_that_goes_while_it_joins_leaves_nothing(hub, layer):
    transport = make_member(hub)
    joining = asyncio.create_task(hub.join(transport, LabRoom()))
    await asyncio.sleep(0)

    hub.remove(transport)
    joining.cancel()
    await asyncio.wait([joining])
    await settle(hub)

    assert (hub.streams, hub.guests) == ({}, {})
    assert len(layer.groups) == 1


async def test_join_waits_until_an_event_came_through_the_group(
    hub, layer, monkeypatch
):
    """`group_add` of the pub/sub layer returns before the broker has heard of it."""
    group_send = layer.group_send
    lost = 0

    async def lose_first(group, event):
        nonlocal lost
        lost += group == LabRoom().group
        if lost != 1:
            await group_send(group, event)

    monkeypatch.setattr(layer, "group_send", lose_first, raising=False)
    hub.uplink.join_timeout_s = 5.0
    transport = make_member(hub)

    await hub.join(transport, LabRoom())

    assert lost == 2


async def test_join_without_an_answer_ends_and_later_ones_fail_at_once(
    hub, layer, monkeypatch
):
    async def vanish(*arguments):
        pass

    monkeypatch.setattr(layer, "group_send", vanish, raising=False)
    monkeypatch.setattr(layer, "send", vanish, raising=False)
    monkeypatch.setattr("realtime.hub.JOIN_TIMEOUT_S", 0.5)
    transport = make_member(hub)

    with pytest.raises(PausedError):
        await hub.join(transport, LabRoom())
    async with asyncio.timeout(0.1):
        with pytest.raises(PausedError):
            await hub.join(transport, BenchRoom(key="a"))

    assert [
        text for text in transport.texts if "system_warning" in text
    ] == transport.texts
    assert len(transport.texts) == 1


async def test_layer_that_raises_is_left_and_joined_again(hub, layer, monkeypatch):
    """The core layer's `receive` raises when the broker goes; its channel then is dead."""
    transport = make_member(hub)
    await hub.join(transport, LabRoom())
    old, receive = hub.uplink._channel, layer.receive
    broken = asyncio.get_running_loop().create_future()

    async def fail_once(channel):
        if channel != old:
            return await receive(channel)
        broken.set_result(None)
        raise ConnectionError

    monkeypatch.setattr(layer, "receive", fail_once, raising=False)
    await layer.send(old, {"type": "room.probe", "nonce": "wakes the one that waits"})
    await broken
    await transport.until("system_info")

    assert hub.uplink._channel != old
    publish(LabRoom(), LabDone(lab_id=5))
    await transport.until("lab_done")
    assert transport.kinds == ["joined", "system_warning", "system_info", "lab_done"]


async def test_unknown_event_is_logged_and_survived(hub, layer, caplog):
    transport = make_member(hub)
    await hub.join(transport, LabRoom())

    await layer.group_send(LabRoom().group, {"type": "chat.message"})
    publish(LabRoom(), LabDone(lab_id=1))
    await transport.until("lab_done")

    assert "chat.message" in caplog.text


async def test_stalled_reader_delays_nobody_and_is_cut(hub):
    stalled_closed = []

    async def stall(event):
        await asyncio.Event().wait()

    stalled = Link(AsgiTransport(stall), on_overflow=lambda: stalled_closed.append(1))
    hub.add(make_guest(stalled))
    other = make_member(hub)
    for link in (stalled, other):
        await hub.join(link, LabRoom())

    for number in range(5_000):
        publish(LabRoom(), LabDone(lab_id=number))
    await other.until("lab_done", count=5_000)

    assert stalled_closed == [1]
    assert not stalled.outbox
    hub.remove(stalled)
    stalled.transport.discard()


async def test_two_thousand_connects_and_abrupt_ends_under_fire_leave_nothing(
    layer, settings
):
    hub = get_hub()
    settings.REALTIME = {"MAX_CONNECTIONS_PER_USER": 1_000}
    application = make_application(make_visitor())
    async with await connect(application) as witness:
        await witness.join("lab")
        await settle(hub)
        tasks_before = len(asyncio.all_tasks())
        for number in range(40):
            connections = await asyncio.gather(
                *(connect(make_application(make_visitor())) for _ in range(50))
            )
            await asyncio.gather(
                *(
                    connection.join(room)
                    for connection in connections
                    for room in ("lab", f"bench:{number}")
                )
            )
            publish(LabRoom(), LabDone(lab_id=number))
            for connection in connections[::2]:
                connection._communicator.future.cancel()
            await asyncio.gather(*(connection.close() for connection in connections))
        await settle(hub)
        await witness.expect("lab_done", lab_id=39)

        assert len(hub.guests) == len(hub.streams["lab"].links) == len(seats) == 1
        assert set(hub.streams) == {"lab"}
        assert (len(layer.groups), len(layer.channels)) == (2, 1)
        assert len(asyncio.all_tasks()) == tasks_before
        gc.collect()
        assert (
            sum(
                issubclass(type(thing), (Link, AsgiTransport))
                for thing in gc.get_objects()
            )
            < 10
        )


async def test_who_came_after_revocations_are_heard_is_not_asked_again(hub):
    asked: list[str] = []
    hub.add(make_guest(Member(), recheck=lambda: asked.append("early")))
    await settle(hub)
    hub.add(make_guest(Member(), recheck=lambda: asked.append("late")))

    with virtual_clock() as clock:
        await clock.advance(RECHECK_AGAIN_S + 1)

    assert asked == ["early", "early"]


async def test_closed_hub_has_no_tasks(layer):
    hub = Hub()
    make_member(hub)
    tasks = list(hub.uplink._tasks)

    await hub.aclose()

    assert all(task.done() for task in tasks)


@pytest.mark.fault
async def test_broker_that_is_killed_and_returns_heals_by_itself(hub, broker, caplog):
    """Sockets stay open, are told once, cannot join meanwhile, and hear again of their rooms without doing anything."""
    hub.uplink.join_timeout_s = 2.0
    async with (
        await connect(make_application(make_visitor())) as connection,
        await connect(make_application(make_visitor())) as idle,
    ):
        await connection.join("lab")

        broker.kill()
        warning = await connection.expect("system_warning")
        refused = await connection.join("bench:a")
        publish(LabRoom(), LabDone(lab_id=1))
        assert (await idle.ping())["type"] == "pong"
        broker.start()
        await connection.expect("lab_done", lab_id=1)
        await connection.expect("system_info")
        await idle.expect("system_info")

        assert warning["data"]["details"] == {"live": False}
        assert refused["data"]["code"] == "internal"
        assert "paused" in refused["data"]["message"]
        assert refused["data"]["details"]["retry_after_ms"] > 0
        # The broker kept its data, so nobody had to be put in anew.
        assert not [
            f for f in connection.frames if f["type"] == "joined" and "ref" not in f
        ]
        assert (await connection.join("bench:a"))["type"] == "joined"
        publish(LabRoom(), LabDone(lab_id=2))
        await connection.expect("lab_done", lab_id=2)
        for each in (connection, idle):
            assert [frame["type"] for frame in each.frames].count("system_warning") == 1
            assert [frame["type"] for frame in each.frames].count("system_info") == 1


@pytest.mark.fault
async def test_broker_that_freezes_and_wakes_heals_by_itself(hub, broker):
    """Nothing raises then: only the probe that does not come back tells."""
    hub.uplink.join_timeout_s = 2.0
    async with await connect(make_application(make_visitor())) as connection:
        await connection.join("lab")

        broker.process.send_signal(signal.SIGSTOP)
        try:
            await connection.expect("system_warning")
            refused = await connection.join("bench:a")
            publish(LabRoom(), LabDone(lab_id=1))
        finally:
            broker.process.send_signal(signal.SIGCONT)
        await connection.expect("lab_done", lab_id=1)
        publish(LabRoom(), LabDone(lab_id=2))

        assert refused["data"]["code"] == "internal"
        await connection.expect("lab_done", lab_id=2)


@pytest.mark.fault
async def test_connection_that_comes_during_an_outage_is_welcomed_and_heals(
    hub, broker
):
    broker.kill()
    async with await connect(make_application(make_visitor())) as connection:
        refused = await connection.join("lab")
        assert refused["data"]["code"] == "internal"
        broker.start()
        await connection.expect("system_info")

        assert (await connection.join("lab"))["type"] == "joined"
