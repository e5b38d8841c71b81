from __future__ import annotations

import pytest

from realtime.deliveries import WINDOW, Delivery, frame


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (1, b"\x81\x01"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frame_has_the_shortest_head(size, head):
    assert frame("x" * size) == head + b"x" * size


def test_size_counts_bytes():
    assert frame("äß") == b"\x81\x04" + "äß".encode()


@pytest.mark.parametrize(
    ("texts", "cost"),
    [
        (["x"], 1),
        (["x"] * 10, 10),
        (["x" * 4_096], 1),
        (["x" * 4_097], 2),
        (["ä" * 2_049], 2),
        (["x" * 100_000, "x"], 26),
        (["x" * 10_000_000], WINDOW),
    ],
)
def test_large_frame_counts_as_several_but_never_as_more_than_a_window(texts, cost):
    delivery = Delivery(texts)

    assert delivery.cost == cost
    assert delivery.is_large == (cost != len(texts))
