from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from realtime.messages import SystemErrorMessage, SystemInfo, SystemWarning
from realtime.publishing import publish
from realtime.testing import connect
from tests.realtime.lab import (
    BenchRoom,
    LabDone,
    LabProgress,
    LabRoom,
    SlowRoom,
    make_application,
    make_visitor,
    open_connection,
)


async def test_connected_is_the_first_frame_and_says_what_the_server_takes(layer):
    user = make_visitor("mia")
    connection = await open_connection(user)

    frame = await connection.receive()

    assert set(frame) == {"type", "timestamp", "data"}
    assert frame["type"] == "connected"
    assert set(frame["data"]) == {
        "connection_id",
        "protocol",
        "heartbeat_s",
        "server_time",
        "user",
        "limits",
    }
    assert frame["data"]["user"] == "mia"
    assert frame["data"]["limits"] == {
        "max_frame_bytes": 16384,
        "max_rooms": 32,
        "frames_per_s": 20,
    }
    made_at = datetime.fromisoformat(frame["timestamp"])
    assert made_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=1)
    await connection.close()


@pytest.mark.parametrize(
    "frame",
    [{"action": "join", "data": {"room": "lab"}}, {"action": "join", "room": "lab"}],
)
async def test_join_is_answered_by_joined_wherever_the_room_stands(connection, frame):
    await connection.send(frame | {"ref": "r1"})

    reply = await connection.receive()

    assert reply == {
        "type": "joined",
        "timestamp": reply["timestamp"],
        "data": {
            "room": "lab",
            "epoch": reply["data"]["epoch"],
            "seq": 0,
            "recovered": False,
            "snapshot": [],
            "members": 1,
        },
        "room": "lab",
        "ref": "r1",
    }


async def test_reply_has_no_ref_where_none_was_sent(connection):
    await connection.send({"action": "join", "room": "lab"})

    assert set(await connection.receive()) == {"type", "timestamp", "data", "room"}


async def test_join_twice_is_answered_twice_and_messages_come_once(connection):
    await connection.join("lab")
    assert (await connection.join("lab"))["type"] == "joined"

    publish(LabRoom(), LabDone(lab_id=1))
    await connection.expect("lab_done")
    await connection.ping()

    assert [frame["type"] for frame in connection.frames].count("lab_done") == 1


@pytest.mark.parametrize("is_member", [True, False])
async def test_leave_is_answered_by_left_even_when_not_joined(connection, is_member):
    if is_member:
        await connection.join("lab")

    reply = await connection.leave("lab")

    assert (reply["type"], reply["data"], reply["room"]) == (
        "left",
        {"room": "lab"},
        "lab",
    )


async def test_room_frames_stop_after_leave(connection):
    await connection.join("lab")
    async with await connect(make_application(make_visitor())) as witness:
        await witness.join("lab")
        await connection.leave("lab")

        publish(LabRoom(), LabDone(lab_id=1))
        await witness.expect("lab_done")
        await connection.ping()

    assert "lab_done" not in [frame["type"] for frame in connection.frames]


async def test_pong_echoes_whatever_the_ping_carried(connection):
    data = {"type": "x", "self": [1, {"ä": None}], "big": 2**70, "zero": -0.0}

    await connection.send({"action": "ping", "data": data})
    pong = await connection.receive()

    assert (set(pong), pong["type"], pong["data"]) == (
        {"type", "timestamp", "data"},
        "pong",
        data,
    )


async def test_room_frame_is_complete(connection):
    await connection.join("lab")

    publish(LabRoom(), LabProgress(lab_id=7, percent=12.5, eta_seconds=None))
    frame = await connection.expect("lab_progress")

    assert frame == {
        "type": "lab_progress",
        "timestamp": frame["timestamp"],
        "data": {"lab_id": 7, "percent": 12.5, "eta_seconds": None},
        "room": "lab",
        "seq": 1,
        "prev": 0,
    }


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        (SystemInfo(message="m"), "info"),
        (SystemWarning(message="m"), "warning"),
        (SystemErrorMessage(message="m"), "error"),
    ],
)
async def test_system_messages_may_go_to_every_room(connection, message, severity):
    await connection.join("bench:a")

    publish(BenchRoom(key="a"), message)
    frame = await connection.expect(f"system_{severity}")

    assert frame["data"] == {"severity": severity, "message": "m"}


async def test_slow_question_of_one_connection_delays_no_other(layer, connection):
    SlowRoom.is_released.clear()
    async with await connect(make_application(make_visitor())) as slow:
        await slow.send({"action": "join", "room": "slow"})

        assert (await connection.join("lab"))["type"] == "joined"
        publish(LabRoom(), LabDone(lab_id=1))
        await connection.expect("lab_done")

        SlowRoom.is_released.set()
        await slow.expect("joined", room="slow")
