"""Frames of hostile clients: each ends its own connection at most, and nothing reaches the log."""

from __future__ import annotations

import pytest

from tests.realtime.servers.application import MAX_FRAME_BYTES
from tests.realtime.servers.conftest import mask

TEXT, BINARY, MORE, CLOSE, PING = 1, 2, 0, 8, 9
END = 0x80


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (mask(END | TEXT, b"\xff\xfe"), 1007),
        (mask(TEXT, b"\xe2\x82") + mask(END | MORE, b"(("), 1007),
        (mask(END | TEXT, b"\xe2\x82"), 1007),
        (mask(END | TEXT, b"x" * 10, size=MAX_FRAME_BYTES + 1), 1009),
        (mask(END | TEXT, b"x" * 10, size=2**62), 1009),
        (mask(TEXT, b"x" * 60_000) + mask(END | MORE, b"x" * 10_000), 1009),
        (mask(END | MORE, b"x"), 1002),
        (mask(TEXT, b"x") + mask(END | TEXT, b"x"), 1002),
        (mask(END | 0x70 | TEXT, b"x"), 1002),
        (mask(END | 3, b"x"), 1002),
        (mask(END | 11, b"x"), 1002),
        (mask(PING, b"x"), 1002),
        (mask(END | PING, b"x" * 126), 1002),
        (mask(END | CLOSE, b"x"), 1002),
        (mask(END | CLOSE, b"\x03\xed"), 1002),
        (mask(END | CLOSE, b"\x03\xe8\xff"), 1007),
        (b"\x81\x01x", 1002),
        (mask(TEXT, b"") + mask(MORE, b"") * 2_000, 1008),
        (mask(TEXT, b"x") + mask(MORE, b"x") * 2_000, 1008),
    ],
)
def test_invalid_frames_are_answered_with_a_code(server, frames, code):
    client = server.connect().open()

    client.send(frames)

    assert client.receive_close() == code


@pytest.mark.parametrize(
    ("frames", "answer"),
    [
        (mask(END | BINARY, b"\xff\x00"), "bytes 2"),
        (mask(END | TEXT, b""), "text 0"),
        (mask(END | BINARY, b""), "bytes 0"),
        (mask(END | TEXT, b"x" * 17_000), "text 17000"),
        (mask(END | TEXT, b"x" * MAX_FRAME_BYTES), f"text {MAX_FRAME_BYTES}"),
        (mask(TEXT, b"ab") + mask(MORE, b"") + mask(END | MORE, b"c"), "text 3"),
        (mask(TEXT, b"\xe2") + mask(END | MORE, b"\x82\xac"), "text 1"),
        (mask(END | 10, b"unasked") + mask(END | TEXT, b"x"), "text 1"),
    ],
)
def test_odd_frames_reach_the_application(server, frames, answer):
    client = server.connect().open()

    client.send(frames)

    assert client.receive_text() == answer
    client.close()


def test_frame_in_the_middle_of_a_message_is_a_ping(server):
    client = server.connect().open()

    client.send(mask(TEXT, b"a") + mask(END | PING, b"?") + mask(END | MORE, b"b"))

    assert client.receive() == (10, b"?")
    assert client.receive_text() == "text 2"


def test_failed_connection_is_not_read_on(server):
    client = server.connect().open()
    client.send(mask(END | TEXT, b"x" * 10, size=2**62))

    before = server.resident_bytes
    try:
        for _ in range(400):
            client.send(b"x" * 100_000)
    except OSError:
        pass

    assert client.is_cut()
    assert server.resident_bytes - before < 4_000_000


def test_compression_is_declined(server):
    client = server.connect().open()

    assert b"deflate" not in client.header
