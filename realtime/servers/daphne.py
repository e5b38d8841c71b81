"""Daphne with shared bytes straight to idle sockets, bounds in both directions, and an end that waits for what it has to say.

It reaches into Daphne, Autobahn and Twisted; its tests name what it relies on, so that an upgrade that moves it is seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol
from typing_extensions import override

from realtime.codes import CloseCode
from realtime.servers.bounds import (
    HEADER_TIMEOUT_S,
    MAX_FRAGMENTS,
    MAX_WAITING_MESSAGES,
    READ_BYTES,
)
from realtime.servers.draining import DRAIN_S, OnShutdown, run_on_shutdown
from realtime.servers.writing import BufferedWriter, make_writer
from realtime.transports import EXTENSION

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.5
"""For clients to answer the close frame; Autobahn drops those that do not after a second."""
CANCEL_TIMEOUT_S = 1.0
POLL_S = 0.02

_HTTPChannel: Any = HTTPChannel  # Half of its methods have no types.


class Channel(_HTTPChannel):  # type: ignore[misc]  # As above.
    """An HTTP connection whose header has to come within a time, however steadily it drips, and whose responses wait for their reader."""

    _is_in_header = True

    @override
    def connectionMade(self) -> None:
        self._has_room = asyncio.Event()
        self._has_room.set()
        super().connectionMade()
        # Where nothing comes; `setTimeout` overwrites it.
        self._idle_timeout_s = self.timeOut
        self.setTimeout(HEADER_TIMEOUT_S)

    @override
    def connectionLost(self, reason: Any) -> None:
        self._has_room.set()
        super().connectionLost(reason)

    @override
    def pauseProducing(self) -> None:
        self._has_room.clear()
        super().pauseProducing()

    @override
    def resumeProducing(self) -> None:
        self._has_room.set()
        super().resumeProducing()

    async def wait_for_room(self) -> None:
        """Wait while so much is not read that the transport takes no more."""
        await self._has_room.wait()

    @override
    def resetTimeout(self) -> None:
        # Called for everything that comes; Twisted's own pushes the time-out forward with every byte.
        if not self.line_mode:
            super().resetTimeout()
        elif not self._is_in_header:
            self._is_in_header = True
            self.setTimeout(HEADER_TIMEOUT_S)

    @override
    def allHeadersReceived(self) -> None:
        self._is_in_header = False
        self.setTimeout(self._idle_timeout_s)
        super().allHeadersReceived()

    @override
    def rawDataReceived(self, data: bytes) -> None:
        # Frames right behind the request: Twisted would keep them for a next request, and stop reading.
        protocol = getattr(self.transport, "protocol", None)
        if isinstance(protocol, SocketProtocol):
            protocol.dataReceived(data)
        else:
            super().rawDataReceived(data)


class SocketProtocol(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types.
    """A WebSocket that is not read while too much of it waits for the application, and that is told why it is closed."""

    is_held = False
    """Not read, since the application is behind or has not accepted yet."""
    _is_deaf = False
    """Failed: what still comes is thrown away, so that the close frame is not overtaken by a reset."""

    writer: BufferedWriter | None = None
    """Everything goes out by it, once there is an application."""
    _state: int = WebSocketProtocol.STATE_CONNECTING

    CONFIG_ATTRS = ()
    """Copied below: Autobahn would format all of them for a line of its log, and each connection would pay for it."""

    @override
    def _connectionMade(self) -> None:
        for name in WebSocketProtocol.CONFIG_ATTRS:
            if not hasattr(self, name):
                setattr(self, name, getattr(self.factory, name))
        super()._connectionMade()

    @property
    def state(self) -> int:
        return self._state

    @state.setter
    def state(self, state: int) -> None:
        # Autobahn sets it in a dozen places, and a frame behind a close frame would be a fault.
        self._state = state
        if self.writer is not None:
            self.writer.settle()

    async def receive(self, queue: asyncio.Queue[dict[str, Any]]) -> dict[str, Any]:
        """Return the next event; the application's `receive`."""
        event = await queue.get()
        if self.is_held and queue.qsize() <= MAX_WAITING_MESSAGES // 2:
            self._release()
            self.consumeData()
        return event

    @override
    def onOpen(self) -> None:
        if self.is_held:
            self._release()
        super().onOpen()

    @override
    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        take = self.writer.on_text if self.writer is not None else None
        if take is not None and not isBinary and take(payload):
            return
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() > MAX_WAITING_MESSAGES:
            self._hold()

    @override
    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        if len(self.message_data) > MAX_FRAGMENTS:
            self._fail_connection(
                self.CLOSE_STATUS_CODE_POLICY_VIOLATION,
                f"message of more than {MAX_FRAGMENTS} fragments",
            )

    @override
    def handle_reply(self, message: dict[str, Any]) -> None:
        # Autobahn raises where the end is decided and not yet reported to the application.
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN):
            super().handle_reply(message)

    @override
    def sendData(
        self, data: bytes, sync: bool = False, chopsize: int | None = None
    ) -> None:
        if self.writer is None:
            super().sendData(data, sync, chopsize)
        else:
            self.writer.send(data)

    @override
    def processHandshake(self) -> None:
        # Once there is a request, more bytes are frames that came before it was accepted, and not another request.
        if not hasattr(self, "request"):
            super().processHandshake()
        elif len(self.data) > READ_BYTES:
            self._hold()

    @override
    def processData(self) -> bool:
        return not (self.is_held or self._is_deaf) and super().processData()

    @override
    def _dataReceived(self, data: bytes) -> None:
        if not self._is_deaf:
            super()._dataReceived(data)

    @override
    def _fail_connection(self, code: int = 1001, reason: str = "going away") -> None:
        # Autobahn would reset the connection without a word, or go on parsing what it did not understand.
        if self.state in (self.STATE_OPEN, self.STATE_CLOSING):
            self.failedByMe = self._is_deaf = True
            self.data = b""
            self.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:123])
        else:
            super()._fail_connection(code, reason)

    def _hold(self) -> None:
        if not self.is_held:
            self.is_held = True
            self.transport.pauseProducing()

    def _release(self) -> None:
        self.is_held = False
        self.transport.resumeProducing()


class Server(DaphneServer):  # type: ignore[misc]  # As above.
    """Daphne's server.

    Before it ends, it stops listening, awaits `on_shutdown()`, closes the sockets that are left with 4503, and waits for them and for
    the requests that run, all of that for about 6 s. Other arguments are Daphne's.
    """

    def __init__(
        self,
        application: Any,
        *,
        on_shutdown: OnShutdown | None = None,
        ready_callable: Callable[[], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(application, ready_callable=self._prepare, **options)
        self._on_shutdown = on_shutdown
        self._on_ready = ready_callable
        self._ports: list[Any] = []
        self._ending: asyncio.Task[None] | None = None

    def _prepare(self) -> None:
        # Daphne makes both in `run`; no connection has come yet.
        self.http_factory.protocol = lambda: _GenericHTTPChannelProtocol(Channel())
        self.ws_factory.protocol = SocketProtocol
        # A shared frame is right only where nobody compresses.
        self.ws_factory.setProtocolOptions(
            perMessageCompressionAccept=lambda _offers: None
        )
        if self._on_ready is not None:
            self._on_ready()

    @override
    def listen_success(self, port: Any) -> None:
        self._ports.append(port)
        super().listen_success(port)

    @override
    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application for a request or socket and return the queue of its events."""
        if not isinstance(protocol, SocketProtocol):
            return super().create_application(protocol, scope)
        scope["asgi"] = {"version": "3.0"}
        protocol.writer = make_writer(protocol)
        scope["extensions"] = {EXTENSION: protocol.writer}
        protocol.transport.bufferSize = READ_BYTES
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        application = self.application(
            scope=scope,
            receive=partial(protocol.receive, queue),
            send=partial(self.handle_reply, protocol),
        )
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(
            application
        )
        return queue

    @override
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send an application's event; Daphne's own keeps all of a response that nobody reads."""
        await super().handle_reply(protocol, message)
        channel = getattr(protocol, "channel", None)
        if isinstance(channel, Channel):
            await channel.wait_for_room()

    @override
    def kill_all_applications(self) -> Deferred[None]:
        """End everything; Twisted waits for it before it stops."""
        self._ending = asyncio.get_running_loop().create_task(self._end())
        return cast("Deferred[None]", Deferred.fromFuture(self._ending))

    async def _end(self) -> None:
        for port in self._ports:
            port.stopListening()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        if self._on_shutdown is not None:
            await run_on_shutdown(self._on_shutdown, timeout_s=DRAIN_S)
        for socket in self._list_sockets():
            if socket.state == socket.STATE_OPEN:
                socket.sendClose(code=int(CloseCode.RESTART))
        await self._wait(
            lambda: self._list_sockets() or self._list_applications(),
            until=loop.time() + CLOSE_TIMEOUT_S,
        )
        await self._wait(self._list_requests, until=deadline)
        # What they wrote last leaves with the loop's next turns, and would be thrown away when it stops now.
        await asyncio.sleep(POLL_S)
        # Daphne's own looks up the application of every connection, and one in its handshake has none.
        if applications := self._list_applications():
            logger.info("%d applications are cancelled", len(applications))
            for application in applications:
                application.cancel()
            await asyncio.wait(applications, timeout=CANCEL_TIMEOUT_S)

    async def _wait(self, look: Callable[[], Any], *, until: float) -> None:
        loop = asyncio.get_running_loop()
        while look() and loop.time() < until:  # noqa: ASYNC110  # Sockets end in Twisted, applications in asyncio.
            await asyncio.sleep(POLL_S)

    def _list_sockets(self) -> list[SocketProtocol]:
        return [
            protocol
            for protocol, details in self.connections.items()
            if isinstance(protocol, SocketProtocol) and "disconnected" not in details
        ]

    def _list_requests(self) -> list[asyncio.Future[None]]:
        return self._list_applications(but=SocketProtocol)

    def _list_applications(
        self, *, but: type | tuple[()] = ()
    ) -> list[asyncio.Future[None]]:
        applications = [
            details.get("application_instance")
            for protocol, details in self.connections.items()
            if not isinstance(protocol, but)
        ]
        return [task for task in applications if task is not None and not task.done()]
