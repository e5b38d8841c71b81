"""Frames of the encoder and the parser against the schema that is published."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from realtime.exceptions import FrameError
from realtime.frames import parse_frame
from realtime.messages import encode_frame, get_message_types
from realtime.publishing import publish
from realtime.schema.definitions import CLIENT_FRAME, SERVER_FRAME
from realtime.schema.describing import describe
from realtime.schema.documents import build_json_schema
from realtime.testing import connect
from tests.realtime.lab import (
    LabDone,
    LabProgress,
    LabRoom,
    make_application,
    make_visitor,
)
from tests.realtime.samples import make_message

PROTOCOL = describe()
TYPES = {entry.cls.type: entry for entry in PROTOCOL.messages}


def find_errors(value: Any, definition: str) -> list[str]:
    schema = {
        **build_json_schema(PROTOCOL),
        "anyOf": [{"$ref": f"#/$defs/{definition}"}],
    }
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def close(schema: Any) -> Any:
    """Refuse in a schema what it does not name, where it names something."""
    if isinstance(schema, list):
        return [close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if schema.get("properties") and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


def add_envelope(frame: str) -> dict[str, Any]:
    """Return the frame of an encoded message with what a room's stream adds to it."""
    whole: dict[str, Any] = json.loads(frame)
    if TYPES[whole["type"]].is_published:
        whole |= {"room": "lab", "seq": 2, "prev": 1}
    return whole


@pytest.mark.parametrize("is_full", [True, False])
@pytest.mark.parametrize("name", sorted(get_message_types()))
def test_encoded_frame_is_valid_and_has_nothing_the_schema_does_not_name(name, is_full):
    message = make_message(TYPES[name], PROTOCOL, is_full=is_full)
    schema = close(build_json_schema(PROTOCOL))
    frame = add_envelope(encode_frame(message))

    for reference in (f"#/$defs/{TYPES[name].frame}", f"#/$defs/{SERVER_FRAME}"):
        validator = Draft202012Validator({**schema, "anyOf": [{"$ref": reference}]})
        assert [error.message for error in validator.iter_errors(frame)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"folder": None},
        {"lab_id": "1"},
        {"percent": None},
        {"lab_id": ...},
        {"eta_seconds": ...},
    ],
)
def test_wrong_data_is_not_valid(change):
    data = {"lab_id": 1, "percent": 2.0, "eta_seconds": None, **change}
    data = {name: value for name, value in data.items() if value is not ...}

    assert find_errors(data, "LabProgressData")


def test_fields_that_a_newer_server_adds_are_valid():
    frame = add_envelope(encode_frame(LabDone(lab_id=1))) | {"later": 1}
    frame["data"]["later"] = 2

    assert find_errors(frame, SERVER_FRAME) == []


@pytest.mark.parametrize(
    ("frame", "is_valid"),
    [
        ({"action": "join", "data": {"room": "lab"}, "ref": "1"}, True),
        ({"action": "join", "room": "lab"}, True),
        (
            {
                "action": "join",
                "data": {"room": "lab", "since": {"epoch": "e", "seq": 0}},
            },
            True,
        ),
        ({"action": "join"}, False),
        ({"action": "join", "data": {"room": "x" * 81}}, False),
        ({"action": "join", "data": {"room": "lab", "since": {"epoch": "e"}}}, False),
        ({"action": "leave", "room": 1}, False),
        ({"action": "ping"}, True),
        ({"action": "ping", "data": {"a": [None]}}, True),
        ({"action": "ping", "data": []}, False),
        ({"action": "hello", "data": {"protocol": 1, "max_hz": 20}}, True),
        ({"action": "hello", "data": {"protocol": 1, "max_hz": 21}}, False),
        ({"action": "ack", "data": {"n": -1}}, False),
        ({"action": "dance"}, False),
        ({"action": "ping", "ref": "x" * 65}, False),
    ],
)
def test_parser_and_schema_agree_on_client_frames(frame, is_valid):
    try:
        parse_frame(json.dumps(frame), max_bytes=1000)
        is_taken = True
    except FrameError:
        is_taken = False

    assert (is_taken, find_errors(frame, CLIENT_FRAME) == []) == (is_valid, is_valid)


async def test_frames_of_a_conversation_are_valid(connection):
    await connection.join("lab")
    publish(LabRoom(), LabProgress(lab_id=7, percent=12.5, eta_seconds=None))
    state = await connection.expect("lab_progress")
    epoch = connection.frames[1]["data"]["epoch"]
    async with await connect(make_application(make_visitor())) as other:
        joined = await other.join("lab")
        await other.send({"action": "dance"})
        await other.expect("error")
        await other.leave("lab")
        await other.ask("join", room="lab", since={"epoch": epoch, "seq": 0})
        await other.ping(a=[1, None])
        for _ in range(5):
            await other.send("{")
        await other.expect_close()

    assert state["seq"] >= 1
    assert [frame["type"] for frame in joined["data"]["snapshot"]] == ["lab_progress"]
    assert other.frames[-1]["type"] == "bye"
    for frame in (*connection.frames, *other.frames):
        assert find_errors(frame, SERVER_FRAME) == [], frame
