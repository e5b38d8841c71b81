"""The extension `realtime.transport`: its writers on transports of Twisted's, and what it does on both servers."""

from __future__ import annotations

import re
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet import reactor
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.tcp import Server as TcpTransport
from twisted.web.http import HTTPChannel

from realtime.servers.bounds import MAX_BUFFERED_BYTES
from realtime.servers.writing import BufferedWriter, DirectWriter, make_writer

OPEN, CLOSED = WebSocketProtocol.STATE_OPEN, WebSocketProtocol.STATE_CLOSED


class FakeProtocol(TwistedProtocol):
    """A connection's protocol, as far as a writer knows it."""

    def __init__(self) -> None:
        self.writer: BufferedWriter | None = None
        self._state = OPEN
        self.transport: Any = None
        self.wasNotCleanReason = ""

    @property
    def state(self) -> int:
        return self._state

    @state.setter
    def state(self, state: int) -> None:
        self._state = state
        if self.writer is not None:
            self.writer.settle()

    def dropConnection(self, *, abort: bool) -> None:  # noqa: N802
        self.state = CLOSED
        self.transport.unregisterProducer()
        self.transport.abortConnection()


@pytest.fixture
def pair():
    """Yield a protocol on a transport of Twisted's, and the other end."""
    ours, theirs = socket.socketpair()
    protocol = FakeProtocol()
    make: Any = TcpTransport
    transport = make(ours, protocol, ("127.0.0.1", 1), None, 1, reactor)
    # The HTTP channel has it before the upgrade.
    transport.registerProducer(HTTPChannel(), streaming=True)
    protocol.transport = transport
    yield protocol, theirs
    transport.stopReading()
    transport.stopWriting()
    ours.close()
    theirs.close()


def test_idle_socket_is_written_to_at_once(pair):
    protocol, theirs = pair
    writer = protocol.writer = make_writer(protocol)

    waits = writer.write(b"frame")

    assert waits is False
    assert isinstance(writer, DirectWriter)
    assert theirs.recv(100) == b"frame"
    assert writer.waiting_bytes() == 0


def test_what_twisted_buffered_comes_first(pair):
    protocol, theirs = pair
    protocol.transport.write(b"first ")
    writer = protocol.writer = make_writer(protocol)

    writer.write(b"second")

    assert writer.waiting_bytes() == 12
    protocol.transport.doWrite()
    assert theirs.recv(100) == b"first second"
    assert writer.waiting_bytes() == 0


def test_full_socket_keeps_the_rest_and_reports_its_end(pair):
    protocol, theirs = pair
    writer = protocol.writer = make_writer(protocol)
    drained = []
    writer.on_drained = lambda: drained.append(writer.waiting_bytes())
    sent = received = 0

    while not writer.write(b"x" * 50_000):
        assert writer.waiting_bytes() == 0
        sent += 50_000
    sent += 50_000
    assert writer.waiting_bytes() > 0
    theirs.settimeout(0)
    while received < sent:
        protocol.transport.doWrite()
        assert received + writer.waiting_bytes() <= sent
        received += len(theirs.recv(1_000_000))

    assert received == sent
    assert drained == [0]


def test_closed_or_lost_connection_is_not_written_to(pair):
    protocol, theirs = pair
    writer = protocol.writer = make_writer(protocol)
    theirs.close()
    writer.write(b"x")

    protocol.state = CLOSED
    waits = writer.write(b"y")

    assert not waits
    assert not writer.is_open
    assert writer.waiting_bytes() == 1


def test_fault_of_the_callback_does_not_reach_twisted(pair, caplog):
    protocol, _theirs = pair
    protocol.transport.write(b"x")
    writer = protocol.writer = make_writer(protocol)
    writer.on_drained = lambda: 1 // 0  # type: ignore[assignment]

    protocol.transport.doWrite()

    assert "A connection could not go on" in caplog.text


def test_other_transports_are_written_to_by_their_own_way():
    written: list[bytes] = []
    producers: list[Any] = []
    protocol = FakeProtocol()
    protocol.transport = SimpleNamespace(
        registerProducer=lambda producer, _streaming: producers.append(producer),
        unregisterProducer=producers.clear,
        write=written.append,
        abortConnection=lambda: written.append(b"aborted"),
    )
    writer = protocol.writer = make_writer(protocol)
    drained: list[bool] = []
    writer.on_drained = lambda: drained.append(True)

    assert not writer.write(b"a")
    assert writer.waiting_bytes() == 0
    producers[0].pauseProducing()
    assert writer.write(b"bc")
    assert writer.waiting_bytes() > 0
    producers[0].resumeProducing()
    assert (writer.waiting_bytes(), drained) == (0, [True])
    producers[0].pauseProducing()
    writer.write(b"d" * MAX_BUFFERED_BYTES)

    assert type(writer) is BufferedWriter
    assert written[:2] == [b"a", b"bc"]
    assert written[-1] == b"aborted"
    assert not writer.is_open


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
