"""The extension `realtime.transport` on both servers."""

from __future__ import annotations

import re


def test_order_is_kept_with_sends(server):
    client = server.connect("/mix", buffer=4096).open()

    numbers = [int(client.receive_text()[:6]) for _ in range(3000)]

    assert numbers == list(range(3000))


def test_what_waits_is_counted_and_its_end_reported(server):
    client = server.connect("/fill", buffer=4096).open()
    client.send_text("go on")

    frames = 0
    while len(text := client.receive_text()) == 10_000:
        frames += 1

    assert text == f"frames {frames} more 10004 left 0"


def test_writing_to_a_closed_connection_does_nothing(server):
    client = server.connect("/fill").open()
    client.send_text("go on")
    while re.match("y+$", client.receive_text()):
        pass
    client.close()

    assert server.connect().open()
