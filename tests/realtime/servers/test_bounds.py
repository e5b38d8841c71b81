"""What one client may make a server hold, in either direction."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.realtime.servers.conftest import TIMEOUT_S, mask

SLACK_BYTES = 6_000_000


def flood(client, frames: bytes, total: int) -> int:
    """Send until nothing is taken any more; return what was."""
    client.socket.settimeout(0.5)
    sent = 0
    try:
        while sent < total:
            sent += client.socket.send(frames[sent % len(frames) :])
    except TimeoutError:
        pass
    client.socket.settimeout(TIMEOUT_S)
    return sent


@pytest.mark.parametrize("size", [1_000, 16_000])
def test_flood_that_nobody_takes_is_held_back(ending, server, size):
    running = ending(server.name)
    client = running.connect("/stall").open()
    frame = mask(0x81, b"x" * size)
    frames = frame * (1_000_000 // len(frame) + 1)
    before = running.resident_bytes

    sent = flood(client, frames, 60_000_000)

    assert sent < 20_000_000  # What the system's buffers take.
    assert running.resident_bytes - before < SLACK_BYTES
    # Nothing of it is lost, and reading goes on.
    threading.Thread(
        target=client.send, args=(frames[sent % len(frames) :] + mask(0x81, b"end"),)
    ).start()
    running.connect("/release").open()
    count = (sent // len(frames) + 1) * (len(frames) // len(frame))
    assert client.receive_text() == str(count)


def test_flood_of_tiny_frames_is_held_back(ending, server):
    running = ending(server.name)
    client = running.connect("/stall").open()
    before = running.resident_bytes

    sent = flood(client, mask(0x81, b"") * 100_000, 60_000_000)

    assert sent < 20_000_000
    assert running.resident_bytes - before < SLACK_BYTES


def test_frames_before_the_accept_are_kept_in_bounds(ending, server):
    running = ending(server.name)
    client = running.connect("/late")
    before = running.resident_bytes

    sent = flood(client, mask(0x81, b"x" * 10_000), 60_000_000)

    assert sent < 20_000_000
    assert running.resident_bytes - before < SLACK_BYTES
    running.connect("/release").open()
    assert client.open().receive_text() == "text 10000"


@pytest.mark.parametrize("path", ["/flood", "/send"])
def test_client_that_does_not_read_is_cut_off_at_a_mebibyte(ending, server, path):
    running = ending(server.name)
    if (running.name, path) == ("uvicorn", "/send"):
        pytest.skip("Its sends wait.")
    before = running.resident_bytes

    client = running.connect(path, buffer=4096).open()

    running.wait_for("disconnected")
    assert running.resident_bytes - before < SLACK_BYTES
    assert client.is_cut()
    if path == "/flood":
        assert 1_000_000 < int(running.wait_for(r"peak (\d+)")[1]) < 1_100_000


@pytest.mark.parametrize("reads", [True, False])
def test_response_waits_for_its_reader(ending, server, reads):
    running = ending(server.name)
    before = running.resident_bytes
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(
            b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        running.wait_for("sent 1")
        time.sleep(0.5)  # A server that waits for nobody is through by then.
        assert "sent 999" not in running.log
        assert running.resident_bytes - before < SLACK_BYTES
        if reads:
            assert sum(iter(lambda: len(connection.recv(1 << 20)), 0)) > 100_000_000
            return
    # One that left is noticed, and the rest is not sent to anybody.
    running.wait_for("sent 999")
    assert running.resident_bytes - before < SLACK_BYTES


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n"])
def test_header_that_drips_ends_the_connection(server, start):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(start)
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            drip(connection)

    assert 0.8 < time.monotonic() - began < 3


def test_silent_connection_ends(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(TIMEOUT_S)
        assert ends(connection)


def test_header_of_a_further_request_has_its_own_time(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"well" in receive_until(connection, b"well")
        time.sleep(1.2)

        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"well" in receive_until(connection, b"well")

        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert ends(connection)


@pytest.mark.parametrize("head", [b"GET /", b"GET / HTTP/1.1\r\nHost: "])
def test_endless_header_is_refused(server, head):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(head)
        with pytest.raises(ConnectionError):
            connection.sendall(b"x" * 5_000_000)


def test_connection_that_is_open_has_no_header_to_wait_for(server):
    client = server.connect().open()

    time.sleep(1.3)

    client.send_text("still here")
    assert client.receive_text() == "text 10"


def drip(connection: socket.socket) -> None:
    for _ in range(50):
        connection.sendall(b"x")
        time.sleep(0.1)


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data and (more := connection.recv(65536)):
        data += more
    return data


def ends(connection: socket.socket) -> bool:
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    return True
