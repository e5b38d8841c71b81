from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.codes import ErrorCode
from realtime.exceptions import FrameError
from realtime.frames import JoinFrame, PingFrame, parse_frame
from realtime.messages import Error, Pong, encode_frame

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
frames = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["join", "leave", "ping", "pong"]) | values,
        "data": st.fixed_dictionaries({}, optional={"room": values}) | values,
        "room": values,
        "ref": values,
    },
)


def answer(text: str) -> None:
    """Answer as the consumer does; whatever comes, the answer can be sent."""
    try:
        frame = parse_frame(text, max_bytes=16_384)
    except FrameError as error:
        reply = encode_frame(
            Error(
                code=ErrorCode(error.code), message=error.message, details=error.details
            ),
            ref=error.ref,
        )
    else:
        data = frame.data if isinstance(frame, PingFrame) else {}
        reply = encode_frame(Pong.model_validate(data), ref=frame.ref)
        if data and "Infinity" not in text:
            assert json.loads(reply)["data"] == json.loads(text)["data"]
    assert json.loads(reply.encode()) is not None


@settings(max_examples=150, deadline=None)
@given(frames)
def test_any_object_is_taken_or_refused_and_can_be_answered(frame):
    answer(json.dumps(frame))
    with suppress(UnicodeEncodeError):
        answer(json.dumps(frame, ensure_ascii=False).encode().decode())


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_is_taken_or_refused_and_can_be_answered(text):
    answer(text)


@settings(max_examples=75, deadline=None)
@given(st.dictionaries(st.text(), values), st.text(max_size=64))
def test_ping_comes_back_as_it_went(data, ref):
    with suppress(FrameError):
        frame = parse_frame(
            json.dumps({"action": "ping", "data": data, "ref": ref}), max_bytes=16_384
        )
        assert isinstance(frame, PingFrame)
        assert json.loads(encode_frame(Pong.model_validate(frame.data)))["data"] == data


def test_room_in_the_data_wins_over_the_one_beside_it():
    frame = parse_frame(
        '{"action":"join","room":"a","data":{"room":"b"}}', max_bytes=100
    )

    assert isinstance(frame, JoinFrame)
    assert frame.data.room == "b"


def test_refusal_never_repeats_more_than_a_little_of_what_came():
    frame = '{"action":"ping","data":{"' + "k" * 10_000 + '":1e999}}'

    with pytest.raises(FrameError) as refusal:
        parse_frame(frame, max_bytes=16_384)

    assert len(refusal.value.message) < 300
    assert len(json.dumps(refusal.value.details)) < 200
