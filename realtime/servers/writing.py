"""The ASGI extension `realtime.transport` for Twisted's transports: framed bytes for one connection, written at once where they can be.

`write(wire)` takes whole frames, never waits and never raises, and is True when some of it could not be handed over; `waiting_bytes()` is
what user space still holds; `on_drained` is called when what waited is gone. Order is kept with what the server itself writes. A reader
that leaves 1 MiB waiting is cut off, whoever wrote it. `on_text` is shown each text frame that comes, and what it takes is not queued.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.tcp import Server as TcpTransport
from typing_extensions import override

from realtime.servers.bounds import MAX_BUFFERED_BYTES

logger = logging.getLogger(__name__)

STATE_OPEN = WebSocketProtocol.STATE_OPEN


class BufferedWriter:
    """Hands bytes to the transport, for TLS and whatever else is not a plain TCP socket."""

    __slots__ = ("_protocol", "_transport", "_waiting_bytes", "on_drained", "on_text")

    def __init__(self, protocol: Any) -> None:
        self.on_drained: Callable[[], None] | None = None
        self.on_text: Callable[[bytes], bool] | None = None
        self._protocol, self._transport = protocol, protocol.transport
        self._waiting_bytes = 0
        """Written since the transport asked for a pause; 0 while it has not."""
        # Until the upgrade it was the HTTP channel.
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)  # noqa: FBT003  # By position in Twisted.

    @property
    def is_open(self) -> bool:
        return bool(self._protocol.state == STATE_OPEN)

    def write(self, wire: bytes) -> bool:
        if not self.is_open:
            return False
        self.send(wire)
        return self._waiting_bytes > 0

    def send(self, data: bytes) -> None:
        """Write what the server itself has to say, which may be the end."""
        self._transport.write(data)
        if self._waiting_bytes:
            self._waiting_bytes += len(data)
            self._check()

    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    def settle(self) -> None:
        """Take note that the protocol's state is another."""

    # Twisted's IPushProducer: the transport is its consumer.

    def pauseProducing(self) -> None:  # noqa: N802
        self._waiting_bytes = self._waiting_bytes or 1
        self._check()

    def resumeProducing(self) -> None:  # noqa: N802
        self._waiting_bytes = 0
        if self.on_drained is not None:
            try:
                self.on_drained()
            except Exception:
                # Twisted would end the connection, and log it to nowhere.
                logger.exception("A connection could not go on")

    def stopProducing(self) -> None:  # noqa: N802
        """Do nothing: the server reports the end itself."""

    def _check(self) -> None:
        if self.waiting_bytes() > MAX_BUFFERED_BYTES:
            logger.info("A connection is cut off, since its client does not read")
            self._protocol.wasNotCleanReason = "the client does not read"
            self._protocol.dropConnection(abort=True)


class DirectWriter(BufferedWriter):
    """Writes to a plain TCP socket with one system call while nothing waits for it.

    Twisted's own `write` buffers, asks the event loop to report when the socket is writable, and sends then: three times the cost.
    Everything goes through here, so `write` looks at one attribute of its own: with hundreds of connections, each other object that it
    touches is out of the processor's cache.
    """

    __slots__ = ("_is_idle", "_is_ready", "_send")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        transport = self._transport
        self._send = transport.socket.send
        self._is_idle = not (transport._tempDataLen or transport.dataBuffer)
        """Nothing waits in the transport."""
        self._is_ready = False
        """Idle and open."""
        # Else it reports no end of what it has already.
        transport.producerPaused = not self._is_idle
        self.settle()

    @override
    def write(self, wire: bytes) -> bool:
        if self._is_ready:
            try:
                sent = self._send(wire)
            except OSError:
                # Full, or broken: either way Twisted finds out when it tries.
                sent = 0
            if sent == len(wire):
                return False
            self._keep(wire[sent:])
        elif self.is_open:
            self._keep(wire)
        return self.is_open

    @override
    def send(self, data: bytes) -> None:
        sent = 0
        if self._is_idle:
            with suppress(OSError):
                sent = self._send(data)
        if sent != len(data):
            self._keep(data[sent:])

    @override
    def waiting_bytes(self) -> int:
        if self._is_idle:
            return 0
        transport = self._transport
        buffered: int = len(transport.dataBuffer) - transport.offset
        return buffered + int(transport._tempDataLen)

    @override
    def settle(self) -> None:
        self._is_ready = self._is_idle and self.is_open

    @override
    def resumeProducing(self) -> None:
        self._is_idle = True
        self.settle()
        super().resumeProducing()

    def _keep(self, data: bytes) -> None:
        self._is_idle = self._is_ready = False
        self._transport.write(data)
        # Else it calls `resumeProducing` only after more than its own limit waited.
        self._transport.producerPaused = True


def make_writer(protocol: Any) -> BufferedWriter:
    """Return the best writer for a connection's transport."""
    transport = protocol.transport
    is_plain = type(transport) is TcpTransport and not transport.TLS
    return DirectWriter(protocol) if is_plain else BufferedWriter(protocol)
