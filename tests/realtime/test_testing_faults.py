from __future__ import annotations

import asyncio

import pytest

from realtime.hub import get_hub
from realtime.publishing import flush, publish
from realtime.testing import (
    broker_gone,
    connect,
    faults,
    virtual_clock,
)
from tests.realtime.lab import (
    LabDone,
    LabProgress,
    LabRoom,
    make_application,
    make_visitor,
)


async def say(*numbers: int) -> None:
    """Publish one by one, so that each is an event of its own."""
    for number in numbers:
        publish(LabRoom(), LabDone(lab_id=number))
        assert await asyncio.to_thread(flush, timeout_s=5)


async def listen(connection, *, until: int) -> list[int]:
    await connection.expect("lab_done", lab_id=until)
    return [
        frame["data"]["lab_id"]
        for frame in connection.frames
        if frame["type"] == "lab_done"
    ]


async def test_dropped_event_is_fetched_once_the_next_one_comes(connection):
    await connection.join("lab")

    with faults() as network:
        network.drop()
        await say(1, 2, 3)
        heard = await listen(connection, until=3)

    assert heard == [1, 2, 3]


async def test_repeated_event_is_heard_once(connection):
    await connection.join("lab")

    with faults() as network:
        network.repeat(3)
        await say(1, 2, 3)
        heard = await listen(connection, until=3)

    assert heard == [1, 2, 3]


async def test_events_that_overtake_each_other_are_heard_in_order(connection):
    await connection.join("lab")

    with faults() as network:
        network.hold()
        await say(1, 2, 3)
        while len(network._held or ()) < 3:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        assert network.release(in_reverse=True) == 3
        heard = await listen(connection, until=3)

    assert heard == [1, 2, 3]


async def test_late_event_is_heard_late(connection):
    await connection.join("lab")

    with faults() as network:
        network.hold()
        await say(1)
        await connection.ping()
        assert not any(frame["type"] == "lab_done" for frame in connection.frames)
        network.release()
        heard = await listen(connection, until=1)

    assert heard == [1]


async def test_slow_reader_gets_every_event_and_the_newest_state(connection):
    await connection.join("lab")
    connection.stop_reading()

    for percent in range(50):
        publish(LabRoom(), LabProgress(lab_id=1, percent=percent, eta_seconds=None))
        if percent % 10 == 0:
            await say(percent)
    await say(99)
    await asyncio.to_thread(flush, timeout_s=5)
    stream = get_hub().streams["lab"]
    while stream.sent < stream.position.seq or stream.position.seq < 56:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    connection.read_again()
    heard = await listen(connection, until=99)

    shown = [
        frame["data"]["percent"]
        for frame in connection.frames
        if frame["type"] == "lab_progress"
    ]
    assert heard == [0, 10, 20, 30, 40, 99]
    assert shown[-1] == 49
    assert len(shown) < 50


async def test_chain_of_prev_has_no_hole_for_a_slow_reader(connection):
    joined = await connection.join("lab")
    connection.stop_reading()

    for percent in range(50):
        publish(LabRoom(), LabProgress(lab_id=1, percent=percent, eta_seconds=None))
    await say(99)
    connection.read_again()
    await listen(connection, until=99)

    last = joined["data"]["seq"]
    for frame in connection.frames:
        if "seq" in frame:
            assert frame["prev"] == last
            last = frame["seq"]


async def test_messages_wait_while_the_broker_is_gone(connection):
    await connection.join("lab")

    with broker_gone():
        publish(LabRoom(), LabDone(lab_id=1))
        assert not await asyncio.to_thread(flush, timeout_s=0.2)
    heard = await listen(connection, until=1)

    assert heard == [1]


@pytest.mark.parametrize("seconds", [25, 26])
async def test_turned_clock_fires_the_heartbeat(layer, seconds):
    with virtual_clock() as clock:
        async with await connect(make_application(make_visitor())) as connection:
            await clock.advance(seconds)

            assert (await connection.expect("ping"))["type"] == "ping"
