"""Uvicorn with the same: shared bytes without a send of its own for each, bounds in both directions, and an end that waits.

It builds on uvicorn's `websockets-sansio` and `h11` protocols, whose attributes its tests name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import h11
from typing_extensions import override
from uvicorn import Config
from uvicorn import Server as UvicornServer
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from realtime.codes import CloseCode
from realtime.servers.bounds import (
    HEADER_TIMEOUT_S,
    MAX_BUFFERED_BYTES,
    MAX_FRAGMENTS,
    MAX_WAITING_MESSAGES,
    READ_BYTES,
)
from realtime.servers.draining import DRAIN_S, OnShutdown, run_on_shutdown
from realtime.transports import EXTENSION

POLICY_VIOLATION, INVALID_PAYLOAD = 1008, 1007


class Writer:
    """The ASGI extension `realtime.transport`, see `realtime.servers.writing`."""

    __slots__ = ("_protocol", "_transport", "_writable", "on_drained", "on_text")

    def __init__(self, protocol: SocketProtocol) -> None:
        self.on_drained: Callable[[], None] | None = None
        self.on_text: Callable[[bytes], bool] | None = None
        """Not asked here."""
        self._protocol, self._transport = protocol, protocol.transport
        self._writable = protocol.writable

    @property
    def is_open(self) -> bool:
        protocol = self._protocol
        return (
            protocol.handshake_complete
            and not protocol.close_sent
            and not self._transport.is_closing()
        )

    def write(self, wire: bytes) -> bool:
        if not self.is_open:
            return False
        self._transport.write(wire)
        if self._writable.is_set():
            return False
        if self._transport.get_write_buffer_size() > MAX_BUFFERED_BYTES:
            self._transport.abort()
        return True

    def waiting_bytes(self) -> int:
        # Without a pause, uvloop counts what it is about to write.
        if self._writable.is_set():
            return 0
        return self._transport.get_write_buffer_size()


class SocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that says no more than it has to, and takes no more than the application does."""

    _writer: Writer
    _rest = b""
    """Not parsed yet, since the application is behind."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Whatever waits is a pause, so that its end is reported; and uvloop writes at once.
        self.transport.set_write_buffer_limits(high=0)
        self._writer = Writer(self)

    @override
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self._writer

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writer.on_drained is not None:
            self._writer.on_drained()

    @override
    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        # A read holds tens of thousands of tiny frames, and uvicorn stops reading only after it.
        while (
            data
            and self.conn.parser_exc is None
            and self.queue.qsize() <= MAX_WAITING_MESSAGES
        ):
            super().data_received(data[:READ_BYTES])
            data = data[READ_BYTES:]
        self._rest = data

    @override
    async def receive(self) -> Any:
        event = await super().receive()
        if self._rest and self.queue.qsize() <= MAX_WAITING_MESSAGES // 2:
            self.data_received(b"")
        return event

    @override
    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        else:
            self._fail(POLICY_VIOLATION)

    @override
    def send_receive_event_to_app(self) -> None:
        # Uvicorn's answer is the same, with a traceback in the log.
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._fail(INVALID_PAYLOAD)
        else:
            super().send_receive_event_to_app()

    @override
    def shutdown(self) -> None:
        if self._writer.is_open:
            # Browsers pass 1012 on, but other servers cannot send it, and so clients know one code.
            self.stop_keepalive()
            code = int(CloseCode.RESTART)
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        else:
            super().shutdown()

    def _fail(self, code: int) -> None:
        if not self.close_sent:
            self.frames = []
            self._rest = b""
            self.conn.send_close(code)
            self.handle_parser_exception()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class HttpProtocol(H11Protocol):
    """An HTTP connection whose header has to come within a time, however steadily it drips."""

    _header_timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As uvicorn's.
        super().connection_made(transport)
        self._watch_header()

    @override
    def data_received(self, data: bytes) -> None:
        if self._header_timer is None and self.conn.their_state is h11.IDLE:
            self._watch_header()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget_header()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_header()
        super().connection_lost(exc)

    def _watch_header(self) -> None:
        self._header_timer = self.loop.call_later(
            HEADER_TIMEOUT_S, self.transport.abort
        )

    def _forget_header(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


class Server(UvicornServer):
    """Uvicorn's server, that awaits `on_shutdown()` after it stopped listening and before it closes what is open."""

    def __init__(
        self, config: Config, *, on_shutdown: OnShutdown | None = None
    ) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if self._on_shutdown is not None:
            await run_on_shutdown(self._on_shutdown, timeout_s=DRAIN_S)
        await super().shutdown(sockets)


def make_server(
    application: Any, *, on_shutdown: OnShutdown | None = None, **options: Any
) -> Server:
    """Return a server for an application; other arguments are those of uvicorn's `Config`."""
    # A shared frame is right only where nobody compresses.
    config = Config(
        application,
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        **options,
    )
    return Server(config, on_shutdown=on_shutdown)
