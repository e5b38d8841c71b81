from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from realtime.schema.contract import find_breaks
from realtime.schema.describing import describe

PROTOCOL = describe()


def number(**words: Any) -> dict[str, Any]:
    return {"required": True, "types": ["number"], **words}


ROOM = {"required": True, "types": ["string"], "minLength": 1, "maxLength": 80}


def test_what_is_kept_is_no_break():
    contract = {
        "types": {
            "lab_progress": {
                "data": {
                    "lab_id": {"required": True, "types": ["integer"]},
                    "percent": number(),
                    "eta_seconds": number(types=["null", "number"]),
                    "folder": {"required": False, "types": ["string"]},
                }
            }
        },
        "actions": {"join": {"data": {"room": ROOM}, "answers": ["joined", "error"]}},
        "rooms": {"lab": ["lab_progress"]},
        "error_codes": ["bad_json"],
        "close_codes": {"1000": False, "4408": True},
        "accepted": [{"action": "join", "room": "lab"}, {"action": "ping"}],
    }

    assert find_breaks(contract, PROTOCOL) == []
    assert find_breaks({}, PROTOCOL) == []


@pytest.mark.parametrize(
    ("field", "old", "sentence"),
    [
        ("speed", number(), "Field lab_progress.speed is gone."),
        (
            "folder",
            {"required": True, "types": ["string"]},
            "Field lab_progress.folder was always there and may be absent now.",
        ),
        (
            "eta_seconds",
            number(),
            "Field lab_progress.eta_seconds was number and may be null now.",
        ),
        (
            "percent",
            number(types=["integer"]),
            "Field lab_progress.percent was integer and may be number now.",
        ),
        (
            "lab_id",
            number(types=["string", "null"]),
            "Field lab_progress.lab_id was string or null and may be integer now.",
        ),
        (
            "percent",
            number(maximum=100),
            "Field lab_progress.percent had maximum 100 and has none now.",
        ),
    ],
)
def test_changed_field_of_a_message_is_a_break(field, old, sentence):
    contract = {"types": {"lab_progress": {"data": {field: old}}}}

    assert find_breaks(contract, PROTOCOL) == [sentence]


@pytest.mark.parametrize(
    "old", [{"required": False, "types": ["integer"]}, number(), number(types=["any"])]
)
def test_message_that_promises_more_than_before_is_no_break(old):
    contract = {"types": {"lab_progress": {"data": {"lab_id": old}}}}

    assert find_breaks(contract, PROTOCOL) == []


@pytest.mark.parametrize(
    ("action", "promised", "sentences"),
    [
        ("dance", {"data": {}, "answers": []}, ["Action dance is gone."]),
        (
            "join",
            {"data": {}, "answers": []},
            [
                "Field join.room is new and must be there, which older clients do not know."
            ],
        ),
        (
            "join",
            {"data": {"room": {**ROOM, "required": False}}, "answers": []},
            ["Field join.room could be left out and must be there now."],
        ),
        (
            "join",
            {
                "data": {"room": {**ROOM, "types": ["integer", "string"]}},
                "answers": [],
            },
            ["Field join.room could be integer and may not be any more."],
        ),
        (
            "join",
            {"data": {"room": {**ROOM, "maxLength": 100}}, "answers": []},
            ["Field join.room had maxLength 100 and has 80 now."],
        ),
        (
            "leave",
            {"data": {"room": ROOM, "why": ROOM}, "answers": ["left"]},
            ["Field leave.why is not read any more."],
        ),
        (
            "ping",
            {"data": {}, "answers": ["joined"]},
            ["Action ping is not answered by joined any more."],
        ),
    ],
)
def test_changed_action_is_a_break(action, promised, sentences):
    assert find_breaks({"actions": {action: promised}}, PROTOCOL) == sentences


def test_answer_whose_type_is_gone_is_a_break():
    without = tuple(entry for entry in PROTOCOL.messages if entry.cls.type != "pong")
    contract = {"actions": {"ping": {"data": {}, "answers": ["pong"]}}}

    found = find_breaks(contract, dataclasses.replace(PROTOCOL, messages=without))

    assert found == ["Action ping is not answered by pong any more."]


@pytest.mark.parametrize(
    ("contract", "sentence"),
    [
        ({"types": {"lab_gone": {"data": {}}}}, "Message type lab_gone is gone."),
        ({"rooms": {"lab:{id}": []}}, "Room lab:{id} is gone."),
        (
            {"rooms": {"bench:{key}": ["lab_progress"]}},
            "Messages of type lab_progress do not come in room bench:{key} any more.",
        ),
        ({"error_codes": ["bad_mood"]}, "Error code bad_mood is gone."),
        ({"close_codes": {"4999": True}}, "Close code 4999 is gone."),
        (
            {"close_codes": {"4401": True}},
            "After close code 4401 a client came back, and now it is told the opposite.",
        ),
        (
            {"accepted": [{"action": "join"}]},
            'Client frame {"action": "join"} was accepted, and now: Field `data.room`: Field required, got nothing.',
        ),
    ],
)
def test_whatever_else_is_gone_is_a_break(contract, sentence):
    assert find_breaks(contract, PROTOCOL) == [sentence]
