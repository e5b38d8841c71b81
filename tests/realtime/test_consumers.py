from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from realtime.hub import get_hub
from realtime.limits import seats
from realtime.messages import SystemErrorMessage, SystemInfo, SystemWarning
from realtime.publishing import publish
from realtime.testing import Connection, Headers, connect
from tests.realtime.lab import BenchRoom, LabDone, LabProgress, LabRoom, SlowRoom, make_application, make_visitor


async def open_connection(user: Any = None, *, headers: Headers = ()) -> Connection:
    connection = Connection(make_application(user), path="/ws/", headers=headers)
    assert await connection.open()
    return connection


async def test_connected_is_the_first_frame_and_says_what_the_server_takes(layer):
    user = make_visitor("mia")
    connection = await open_connection(user)

    frame = await connection.receive()

    assert set(frame) == {"type", "timestamp", "data"}
    assert frame["type"] == "connected"
    assert set(frame["data"]) == {"connection_id", "protocol", "heartbeat_s", "server_time", "user", "limits"}
    assert frame["data"]["user"] == "mia"
    assert frame["data"]["limits"] == {"max_frame_bytes": 16384, "max_rooms": 32, "frames_per_s": 20}
    made_at = datetime.fromisoformat(frame["timestamp"])
    assert made_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=1)
    await connection.close()


@pytest.mark.parametrize("frame", [{"action": "join", "data": {"room": "lab"}}, {"action": "join", "room": "lab"}])
async def test_join_is_answered_by_joined_wherever_the_room_stands(connection, frame):
    await connection.send(frame | {"ref": "r1"})

    reply = await connection.receive()

    assert reply == {"type": "joined", "timestamp": reply["timestamp"], "data": {"room": "lab"}, "room": "lab", "ref": "r1"}


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

    assert (reply["type"], reply["data"], reply["room"]) == ("left", {"room": "lab"}, "lab")


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

    assert (set(pong), pong["type"], pong["data"]) == ({"type", "timestamp", "data"}, "pong", data)


async def test_room_frame_is_complete(connection):
    await connection.join("lab")

    publish(LabRoom(), LabProgress(lab_id=7, percent=12.5, eta_seconds=None))
    frame = await connection.expect("lab_progress")

    assert frame == {
        "type": "lab_progress",
        "timestamp": frame["timestamp"],
        "data": {"lab_id": 7, "percent": 12.5, "eta_seconds": None},
        "room": "lab",
    }


@pytest.mark.parametrize(
    ("message", "severity"), [(SystemInfo(message="m"), "info"), (SystemWarning(message="m"), "warning"), (SystemErrorMessage(message="m"), "error")]
)
async def test_system_messages_may_go_to_every_room(connection, message, severity):
    await connection.join("bench:a")

    publish(BenchRoom(key="a"), message)
    frame = await connection.expect(f"system_{severity}")

    assert frame["data"] == {"severity": severity, "message": "m"}


REFUSED = [
    ("{", "bad_json"),
    ("", "bad_json"),
    ("\ufeff{}", "bad_json"),
    ('{"action":"ping","data":{"x":NaN}}', "bad_json"),
    ('{"action":"ping","data":{"x":"\\ud800"}}', "bad_json"),
    ("\ud800", "bad_json"),
    ("[" * 8_000, "bad_json"),
    ("[]", "bad_frame"),
    ("null", "bad_frame"),
    ('"join"', "bad_frame"),
    ("{}", "bad_frame"),
    ('{"action":7}', "bad_frame"),
    ('{"action":null}', "bad_frame"),
    ('{"action":["join"]}', "bad_frame"),
    ('{"action":"join"}', "bad_frame"),
    ('{"action":"join","data":[]}', "bad_frame"),
    ('{"action":"join","data":null}', "bad_frame"),
    ('{"action":"join","data":{"room":7}}', "bad_frame"),
    ('{"action":"join","data":{"room":""}}', "bad_frame"),
    ('{"action":"join","room":null}', "bad_frame"),
    (json.dumps({"action": "join", "room": "a" * 81}), "bad_frame"),
    ('{"action":"ping","ref":7}', "bad_frame"),
    (json.dumps({"action": "ping", "ref": "r" * 65}), "bad_frame"),
    ('{"action":"ping","data":{"x":1e999}}', "bad_frame"),
    ('{"action":"ping","data":"x"}', "bad_frame"),
    ('{"action":"dance"}', "unknown_action"),
    ('{"action":"__class__"}', "unknown_action"),
    ('{"action":"join","room":"nowhere"}', "unknown_room"),
    ('{"action":"join","room":"vault"}', "unknown_room"),
    ('{"action":"join","room":"lab\\u0000"}', "unknown_room"),
    ('{"action":"join","room":"../lab"}', "unknown_room"),
    ('{"action":"join","room":"bench:"}', "unknown_room"),
    ('{"action":"join","room":"bench:a/b"}', "unknown_room"),
    ('{"action":"join","room":"lab\\n"}', "unknown_room"),
    (json.dumps({"action": "ping", "data": {"x": "y" * 16_384}}), "too_large"),
    (json.dumps({"action": "ping", "data": {"x": "ä" * 8_190}}, ensure_ascii=False), "too_large"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
async def test_hostile_frame_gets_its_code_and_the_connection_lives(connection, text, code):
    await connection.send(text)

    reply = await connection.receive()

    assert reply["type"] == "error"
    assert reply["data"]["code"] == code
    assert set(reply["data"]) <= {"code", "message", "details"}
    assert len(json.dumps(reply)) < 1_000
    assert (await connection.ping())["type"] == "pong"


async def test_binary_frame_is_refused(connection):
    await connection.send_bytes(b'{"action":"ping"}')

    reply = await connection.receive()

    assert reply["data"]["code"] == "bad_frame"
    assert "text frame" in reply["data"]["message"]


async def test_frame_of_exactly_the_limit_is_taken(connection):
    frame: dict[str, Any] = {"action": "ping", "data": {"x": ""}}
    frame["data"]["x"] = "y" * (16_384 - len(json.dumps(frame)))

    await connection.send(frame)

    assert (await connection.receive())["type"] == "pong"


async def test_unknown_fields_of_a_newer_client_are_ignored(connection):
    reply = await connection.ask("join", room="lab", since={"epoch": "e", "seq": 4})

    assert reply["type"] == "joined"


async def test_duplicate_keys_count_as_the_last_one(connection):
    await connection.send('{"action":"dance","action":"ping","data":{"a":1,"a":2}}')

    assert (await connection.receive())["data"] == {"a": 2}


async def test_error_says_what_was_expected_and_what_came(connection):
    reply = await connection.ask("join", room=12)

    assert reply["data"]["message"] == "Field `data.room`: Input should be a valid string, got 12."
    assert reply["data"]["details"] == {"field": "data.room"}


async def test_forbidden_room_and_unknown_room_get_the_same_words(connection):
    forbidden, unknown = await connection.join("vault"), await connection.join("vaulx")

    assert forbidden["data"]["message"].replace("vault", "vaulx") == unknown["data"]["message"]
    assert set(forbidden) == set(unknown)


async def test_thirty_third_room_is_refused_and_the_others_stay(connection, settings):
    settings.REALTIME = {"FRAMES_BURST": 100}
    async with await connect(make_application(make_visitor())) as other:
        for number in range(32):
            assert (await other.join(BenchRoom(key=str(number))))["type"] == "joined"

        reply = await other.join("lab")

        assert reply["data"]["code"] == "too_many_rooms"
        await other.leave("bench:0")
        assert (await other.join("lab"))["type"] == "joined"


async def test_fault_of_the_server_is_internal_with_an_id_that_the_log_has(connection, caplog):
    reply = await connection.join("crash")

    assert reply["data"]["code"] == "internal"
    assert reply["data"]["details"]["id"] in caplog.text
    assert "the database is gone" not in json.dumps(reply)
    assert (await connection.join("lab"))["type"] == "joined"


async def test_five_invalid_frames_in_a_row_close_with_4400(connection):
    for _ in range(5):
        await connection.send("nonsense")

    assert await connection.expect_close() == 4400
    assert [frame["type"] for frame in connection.frames[-6:]] == ["error"] * 5 + ["bye"]
    bye = connection.frames[-1]["data"]
    assert bye == {"code": 4400, "reconnect": False, "after_ms": 0, "message": bye["message"]}


async def test_valid_frame_between_invalid_ones_starts_the_count_again(connection):
    for text in ["x"] * 4 + ['{"action":"ping"}'] + ["x"] * 4:
        await connection.send(text)

    assert (await connection.ping())["type"] == "pong"


async def test_flood_is_limited_with_a_time_to_come_back_and_then_closed(layer, settings):
    settings.REALTIME = {"FRAMES_PER_S": 0.5, "FRAMES_BURST": 3}
    connection = await connect(make_application(make_visitor()))

    for _ in range(6):
        await connection.send({"action": "ping"})

    assert await connection.expect_close() == 4429
    assert [frame["type"] for frame in connection.frames[1:]] == ["pong"] * 3 + ["error"] * 3 + ["bye"]
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


async def test_one_connection_too_many_is_told_4429_and_the_others_live(layer, settings):
    settings.REALTIME = {"MAX_CONNECTIONS_PER_USER": 2}
    user = make_visitor()
    application = make_application(user)
    async with await connect(application) as first, await connect(application):
        third = await open_connection(user)

        assert await third.expect_close() == 4429
        assert (await first.ping())["type"] == "pong"
    async with await connect(application):
        pass


async def test_server_pings_and_any_answer_keeps_the_connection(layer, settings):
    settings.REALTIME = {"HEARTBEAT_S": 0.2, "PONG_TIMEOUT_S": 0.1}
    async with await connect(make_application(make_visitor())) as connection:
        for _ in range(4):
            ping = await connection.expect("ping")
            assert (set(ping), ping["data"]) == ({"type", "timestamp", "data"}, {})
            await connection.send({"action": "pong", "data": ping["data"]})


async def test_silence_after_a_ping_closes_with_4408(layer, settings):
    settings.REALTIME = {"HEARTBEAT_S": 0.1, "PONG_TIMEOUT_S": 0.05}
    connection = await connect(make_application(make_visitor()))

    assert await connection.expect_close() == 4408
    assert [frame["type"] for frame in connection.frames[1:]] == ["ping", "bye"]
    assert connection.frames[-1]["data"]["reconnect"] is True


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
    await asyncio.gather(*(subscription.task for subscription in list(get_hub()._subscriptions.values()) if subscription.task))

    assert not get_hub()._connections
    assert not get_hub()._subscriptions
    assert len(seats) == seats_before
    # The layer's receiver for this loop stays as well.
    assert len(asyncio.all_tasks()) <= tasks_before + hub_tasks + 1


async def test_slow_question_of_one_connection_delays_no_other(layer, connection):
    SlowRoom.is_released.clear()
    async with await connect(make_application(make_visitor())) as slow:
        await slow.send({"action": "join", "room": "slow"})

        assert (await connection.join("lab"))["type"] == "joined"
        publish(LabRoom(), LabDone(lab_id=1))
        await connection.expect("lab_done")

        SlowRoom.is_released.set()
        await slow.expect("joined", room="slow")


@pytest.mark.parametrize("returns", [True, False])
async def test_reader_that_stalls_is_cut_and_others_get_everything(layer, returns):
    """The server's buffer is full, so `send` suspends. A reader that returns within a second finds the bye."""
    writable = asyncio.Event()
    writable.set()
    inner = make_application(make_visitor())

    async def application(scope, receive, send):
        async def send_when_writable(event):
            await writable.wait()
            await send(event)

        await inner(scope, receive, send_when_writable)

    stalled, other = await connect(application), await connect(make_application(make_visitor()))
    for each in (stalled, other):
        await each.join("lab")
    writable.clear()

    for number in range(3_000):
        publish(LabRoom(), LabDone(lab_id=number))
    await other.expect("lab_done", lab_id=2_999)
    await other.ping()

    assert [frame["data"]["lab_id"] for frame in other.frames if frame["type"] == "lab_done"] == list(range(3_000))
    assert len(get_hub()._connections) == 1
    if returns:
        writable.set()
        assert await stalled.expect_close() == 4408
        assert [frame["type"] for frame in stalled.frames] == ["connected", "joined", "lab_done", "bye"]
    else:
        await asyncio.wait([stalled._communicator.future], timeout=10)
        assert stalled._communicator.future.done()
    await other.close()
