"""What a connection refuses, and that it lives on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.testing import connect
from tests.realtime.lab import (
    BenchRoom,
    make_application,
    make_visitor,
)

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
    (
        json.dumps({"action": "ping", "data": {"x": "ä" * 8_190}}, ensure_ascii=False),
        "too_large",
    ),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
async def test_hostile_frame_gets_its_code_and_the_connection_lives(
    connection, text, code
):
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

    assert (
        reply["data"]["message"]
        == "Field `data.room`: Input should be a valid string, got 12."
    )
    assert reply["data"]["details"] == {"field": "data.room"}


async def test_forbidden_room_and_unknown_room_get_the_same_words(connection):
    forbidden, unknown = await connection.join("vault"), await connection.join("vaulx")

    assert (
        forbidden["data"]["message"].replace("vault", "vaulx")
        == unknown["data"]["message"]
    )
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


async def test_fault_of_the_server_is_internal_with_an_id_that_the_log_has(
    connection, caplog
):
    reply = await connection.join("crash")

    assert reply["data"]["code"] == "internal"
    assert reply["data"]["details"]["id"] in caplog.text
    assert "the database is gone" not in json.dumps(reply)
    assert (await connection.join("lab"))["type"] == "joined"
