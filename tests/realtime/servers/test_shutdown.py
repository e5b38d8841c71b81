"""The end of a server: what `on_shutdown` writes arrives, and nobody is left with a reset."""

from __future__ import annotations

import signal
import socket
import time

import pytest

from tests.realtime.servers.conftest import TIMEOUT_S, until

both = pytest.mark.parametrize("name", ["daphne", "uvicorn"])


@both
@pytest.mark.parametrize("manner", ["thorough", "lazy"])
def test_old_and_new_sockets_get_a_last_word_and_a_code(ending, name, manner):
    server = ending(name, manner)
    clients = [server.connect().open() for _ in range(10)]
    # Daphne looks after its connections once a second, and knew new ones badly.
    time.sleep(1.1)
    clients += [server.connect().open() for _ in range(10)]

    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)

    for client in clients:
        assert client.receive_text() == "bye"
        assert client.receive_close() == 4503
        client.close()
    server.wait()
    assert time.monotonic() - began < 3
    assert "Traceback" not in server.log
    assert "KeyError" not in server.log


@both
def test_handshake_and_header_under_way_do_not_keep_it(ending, name):
    server = ending(name)
    clients = [server.connect("/late") for _ in range(2)]
    client = server.connect().open()
    clients[0].close()

    server.process.send_signal(signal.SIGTERM)

    assert client.receive_text() == "bye"
    client.close()
    server.process.wait(TIMEOUT_S)
    assert "Traceback" not in server.log


@both
def test_client_that_does_not_answer_keeps_it_for_a_second_or_two(ending, name):
    server = ending(name)
    client = server.connect().open()

    began = time.monotonic()
    server.stop()

    assert time.monotonic() - began < 4
    assert client.receive_text() == "bye"


@both
def test_nobody_gets_in_meanwhile(ending, name):
    server = ending(name)
    client = server.connect().open()

    server.process.send_signal(signal.SIGTERM)
    assert client.receive_text() == "bye"

    def is_refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionError:
            return True
        return False

    assert until(is_refused, what="a closed port")


@both
def test_request_under_way_gets_its_answer(ending, name):
    server = ending(name)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("slow request")

        server.process.send_signal(signal.SIGTERM)

        assert b"200" in connection.recv(65536)
