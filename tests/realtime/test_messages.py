from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from realtime import messages as messages_module
from realtime.exceptions import RegistrationError
from realtime.messages import (
    Message,
    SystemErrorMessage,
    SystemInfo,
    encode_frame,
    get_message_types,
)
from realtime.metrics import DELIVERED, Tally
from tests.realtime.lab import LabDone, LabEnd, LabProgress


def test_definition_registers_the_message():
    assert get_message_types()["lab_progress"] is LabProgress
    assert (LabProgress.type, LabProgress.delivery) == ("lab_progress", "state")
    assert get_message_types()["system_error"] is SystemErrorMessage


def test_registry_cannot_be_changed_from_outside():
    with pytest.raises(TypeError):
        get_message_types()["x"] = LabDone  # type: ignore[index]  # What must not work.


def define(name: str, **words: Any) -> Callable[[], Any]:
    metaclass: Any = type(Message)
    return lambda: metaclass(
        name, (Message,), {"__module__": __name__, "__qualname__": name}, **words
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            define("LabDone", type="lab_done", delivery="event"),
            "is taken by tests.realtime.lab.LabDone",
        ),
        (
            define("Other", type="lab_other", delivery="event"),
            "must be called LabOther, not Other",
        ),
        (
            define("LabNew", type="lab_new"),
            "delivery must be 'state' or 'event', got None",
        ),
        (define("LabNew", type="lab_new", delivery="never"), "got 'never'"),
        (
            define("LabNew", type="Lab-New", delivery="event"),
            "lower case with underscores, got 'Lab-New'",
        ),
    ],
)
def test_wrong_definition_is_refused_with_a_reason(make, words):
    with pytest.raises(RegistrationError, match=words):
        make()

    assert "lab_new" not in get_message_types()


def test_class_without_type_is_a_base_and_not_registered():
    before = len(get_message_types())

    define("LabBase")()

    assert len(get_message_types()) == before


@pytest.mark.parametrize(
    "fields", [{"lab_id": "1"}, {"lab_id": 1, "extra": 1}, {}, {"lab_id": 1.0}]
)
def test_message_is_strict(fields):
    with pytest.raises(ValidationError):
        LabDone(**fields)


def test_message_refuses_numbers_that_json_has_not():
    with pytest.raises(ValidationError):
        LabProgress(lab_id=1, percent=float("nan"), eta_seconds=None)


def test_message_is_frozen_and_equal_by_its_fields():
    message = LabDone(lab_id=1)

    assert message == LabDone(lab_id=1)
    with pytest.raises(ValidationError):
        message.lab_id = 2  # type: ignore[misc]  # What must not work.


def test_optional_field_is_left_out_while_none_and_required_one_is_null():
    assert json.loads(
        LabProgress(lab_id=1, percent=0, eta_seconds=None).encode_data()
    ) == {"lab_id": 1, "percent": 0, "eta_seconds": None}
    assert (
        json.loads(
            LabProgress(lab_id=1, percent=0, eta_seconds=2, folder="é").encode_data()
        )["folder"]
        == "é"
    )


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, []),
        ({"room": "lab"}, ["room"]),
        ({"ref": 'a"\\\u2028'}, ["ref"]),
        ({"room": "lab", "ref": ""}, ["room", "ref"]),
    ],
)
def test_frame_has_room_and_ref_only_where_given(options, keys):
    frame = json.loads(encode_frame(LabDone(lab_id=1), **options))

    assert list(frame) == ["type", "timestamp", "data", *keys]
    assert {key: frame[key] for key in keys} == options


def test_timestamps_have_one_width_so_that_texts_compare_as_times_do():
    timestamps = [
        json.loads(encode_frame(LabDone(lab_id=1)))["timestamp"] for _ in range(50)
    ]

    assert {len(timestamp) for timestamp in timestamps} == {32}
    assert timestamps == sorted(timestamps)
    assert all(timestamp.endswith("+00:00") for timestamp in timestamps)


@pytest.mark.parametrize(
    ("message", "mark"),
    [
        (LabProgress(lab_id=7, percent=1, eta_seconds=None), "slab:7"),
        (LabDone(lab_id=7), "e"),
        (LabEnd(lab_id=7), "xlab:7"),
        (SystemInfo(message="m"), "e"),
    ],
)
def test_mark_says_how_a_message_is_kept_and_what_it_is_about(message, mark):
    assert message.mark == mark


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"delivery": "state", "entity": "lab:{nobody}"}, "names no field"),
        ({"delivery": "event", "ends": True}, "only an event with an entity"),
        ({"delivery": "state", "entity": "x", "ends": True}, "only an event with"),
        ({"delivery": "event", "max_hz": 5}, "only of a state"),
        ({"delivery": "state", "max_hz": 0}, "a number above 0"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words, problem):
    try:
        with pytest.raises(RegistrationError, match=problem):
            define("WrongWords", type="wrong_words", **words)()
    finally:
        messages_module._message_types.pop("wrong_words", None)


def test_tally_brings_the_counters_up_to_date_once():
    tally = Tally()
    before = DELIVERED._value.get()
    tally.delivered += 3

    tally.collect()
    tally.collect()

    assert DELIVERED._value.get() == before + 3
