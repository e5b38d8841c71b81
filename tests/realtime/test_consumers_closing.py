"""How a connection ends, and what is left of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from realtime.deliveries import WINDOW
from realtime.hub import get_hub
from realtime.limits import seats
from realtime.publishing import publish
from realtime.testing import connect, virtual_clock
from tests.realtime.lab import (
    LabDone,
    LabRoom,
    make_application,
    make_visitor,
    open_connection,
)


async def test_five_invalid_frames_in_a_row_close_with_4400(connection):
    for _ in range(5):
        await connection.send("nonsense")

    assert await connection.expect_close() == 4400
    assert [frame["type"] for frame in connection.frames[-6:]] == ["error"] * 5 + [
        "bye"
    ]
    bye = connection.frames[-1]["data"]
    assert bye == {
        "code": 4400,
        "reconnect": False,
        "after_ms": 0,
        "message": bye["message"],
    }


async def test_valid_frame_between_invalid_ones_starts_the_count_again(connection):
    for text in ["x"] * 4 + ['{"action":"ping"}'] + ["x"] * 4:
        await connection.send(text)

    assert (await connection.ping())["type"] == "pong"


async def test_flood_is_limited_with_a_time_to_come_back_and_then_closed(
    layer, settings
):
    settings.REALTIME = {"FRAMES_PER_S": 0.5, "FRAMES_BURST": 3}
    connection = await connect(make_application(make_visitor()))

    for _ in range(6):
        await connection.send({"action": "ping"})

    assert await connection.expect_close() == 4429
    assert [frame["type"] for frame in connection.frames[1:]] == ["pong"] * 3 + [
        "error"
    ] * 3 + ["bye"]
    error = connection.frames[4]["data"]
    assert error["code"] == "rate_limited"
    assert 0 < error["details"]["retry_after_ms"] <= 2_000
    assert connection.frames[-1]["data"]["reconnect"] is True
    assert connection.frames[-1]["data"]["after_ms"] > 0


async def test_limit_counts_all_connections_of_a_user(layer, settings):
    settings.REALTIME = {"FRAMES_PER_S": 0.5, "FRAMES_BURST": 3}
    application = make_application(make_visitor())
    first, second = await connect(application), await connect(application)
    for _ in range(3):
        await first.ping()

    await second.send({"action": "ping"})

    assert (await second.receive())["data"]["code"] == "rate_limited"
    await first.close()
    await second.close()


async def test_stranger_is_accepted_and_told_to_log_in(layer):
    connection = await open_connection()

    assert await connection.expect_close() == 4401
    assert [frame["type"] for frame in connection.frames] == ["bye"]
    assert connection.frames[0]["data"]["reconnect"] is False


async def test_locked_user_is_told_to_log_in(layer):
    connection = await open_connection(make_visitor(is_active=False))

    assert await connection.expect_close() == 4401


async def test_wrong_origin_is_accepted_and_told_4403(layer):
    headers = [(b"host", b"testserver"), (b"origin", b"http://evil.example")]
    connection = await open_connection(make_visitor(), headers=headers)

    assert await connection.expect_close() == 4403
    assert [frame["type"] for frame in connection.frames] == ["bye"]


async def test_one_connection_too_many_is_told_4429_and_the_others_live(
    layer, settings
):
    settings.REALTIME = {"MAX_CONNECTIONS_PER_USER": 2}
    user = make_visitor()
    application = make_application(user)
    async with await connect(application) as first, await connect(application):
        third = await open_connection(user)

        assert await third.expect_close() == 4429
        assert (await first.ping())["type"] == "pong"
    async with await connect(application):
        pass


async def test_server_pings_and_any_answer_keeps_the_connection(connection):
    with virtual_clock() as clock:
        await clock.advance(25)
        for _ in range(4):
            ping = await connection.expect("ping")
            assert (set(ping), ping["data"]) == ({"type", "timestamp", "data"}, {})
            await connection.send({"action": "pong", "data": ping["data"]})
            await connection.ping()
            await clock.advance(10)
            await clock.advance(15)


async def test_silence_after_a_ping_closes_with_4408(layer):
    connection = await connect(make_application(make_visitor()))
    with virtual_clock() as clock:
        await clock.advance(25)
        await clock.advance(10)

    assert await connection.expect_close() == 4408
    kinds = [frame["type"] for frame in connection.frames[1:]]
    # The hub's own probe has no time to come back, either.
    assert [kind for kind in kinds if kind != "system_warning"] == ["ping", "bye"]
    assert connection.frames[-1]["data"]["reconnect"] is True


async def test_one_that_reads_nothing_is_told_why_the_server_ends(connection):
    hello = {"protocol": 1, "acks": True}
    await connection.send({"action": "hello", "data": hello})
    await connection.join("lab")
    for number in range(WINDOW + 1):
        publish(LabRoom(), LabDone(lab_id=number))
    await connection.expect("lab_done", lab_id=WINDOW - 2)
    assert [len(link.outbox) for link in get_hub().guests] == [2]

    await get_hub().drain(timeout_s=0.05)

    assert await connection.expect_close() == 4503
    bye = connection.frames[-1]
    assert (bye["type"], bye["data"]["reconnect"]) == ("bye", True)


async def test_fault_outside_an_action_closes_with_4500(layer, settings, caplog):
    settings.REALTIME = {"MAX_ROMS": 1}
    connection = await open_connection(make_visitor())

    assert await connection.expect_close() == 4500
    assert "MAX_ROMS" in caplog.text
    assert "MAX_ROMS" not in json.dumps(connection.frames)


async def test_abrupt_end_leaves_nothing_behind(layer):
    tasks_before, seats_before = len(asyncio.all_tasks()), len(seats)
    connection = await connect(make_application(make_visitor()))
    await connection.join("lab")
    hub_tasks = 2

    connection._communicator.future.cancel()
    await connection._communicator.wait()
    hub = get_hub()
    await asyncio.gather(
        *(feed.task for feed in hub.uplink.feeds.values() if feed.task)
    )
    if hub._writer is not None:
        await hub._writer

    assert not hub.guests
    assert not hub.streams
    assert len(seats) == seats_before
    # The layer's receiver for this loop stays as well.
    assert len(asyncio.all_tasks()) <= tasks_before + hub_tasks + 1


@pytest.mark.parametrize("returns", [True, False])
async def test_reader_that_stalls_is_cut_and_others_get_everything(
    layer, monkeypatch, returns
):
    """The server's buffer is full, so `send` suspends. A reader that returns in time finds the bye."""
    timeout_s = 30 if returns else 0.05
    monkeypatch.setattr("realtime.transports.CLOSE_TIMEOUT_S", timeout_s)
    writable = asyncio.Event()
    writable.set()
    inner = make_application(make_visitor())

    async def application(scope, receive, send):
        async def send_when_writable(event):
            await writable.wait()
            await send(event)

        await inner(scope, receive, send_when_writable)

    stalled, other = (
        await connect(application),
        await connect(make_application(make_visitor())),
    )
    for each in (stalled, other):
        await each.join("lab")
    writable.clear()

    for number in range(3_000):
        publish(LabRoom(), LabDone(lab_id=number))
    await other.expect("lab_done", lab_id=2_999)
    await other.ping()

    assert [
        frame["data"]["lab_id"] for frame in other.frames if frame["type"] == "lab_done"
    ] == list(range(3_000))
    assert len(get_hub().guests) == 1
    if returns:
        writable.set()
        assert await stalled.expect_close() == 4408
        types = [frame["type"] for frame in stalled.frames]
        assert (types[:3], types[-1]) == (["connected", "joined", "lab_done"], "bye")
        # Only what was handed to the server before it stalled.
        assert types.count("lab_done") == len(types) - 3 < 1_000
    else:
        await asyncio.wait([stalled._communicator.future], timeout=10)
        assert stalled._communicator.future.done()
    await other.close()
