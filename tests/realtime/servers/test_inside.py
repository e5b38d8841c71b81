"""What the servers rely on inside Daphne, Autobahn, Twisted and uvicorn; an upgrade that moves it fails here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from autobahn.websocket.protocol import WebSocketProtocol as AutobahnProtocol
from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.abstract import FileDescriptor
from twisted.internet.tcp import Server as TcpTransport
from twisted.web.http import HTTPChannel
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from realtime.servers import daphne, uvicorn

OURS: list[type[Any]] = [
    daphne.Channel,
    daphne.SocketProtocol,
    daphne.Server,
    uvicorn.HttpProtocol,
    uvicorn.SocketProtocol,
    uvicorn.Server,
]


@pytest.mark.parametrize("ours", OURS)
def test_what_is_overridden_exists(ours):
    names = [
        name for name, value in vars(ours).items() if getattr(value, "__override__", 0)
    ]

    assert names
    assert [name for name in names if not hasattr(ours.__mro__[1], name)] == []


@pytest.mark.parametrize(
    ("theirs", "attributes"),
    [
        (
            FileDescriptor,
            ["_tempDataBuffer", "_tempDataLen", "dataBuffer", "offset"],
        ),
        (FileDescriptor, ["producerPaused", "bufferSize"]),
        (HTTPChannel, ["_handlingRequest", "_networkProducer", "timeOut"]),
        (HTTPChannel, ["_networkProducer.registerProducer(self, True)"]),
        (DaphneServer, ["http_factory", "ws_factory", "connections"]),
        (WebSocketsSansIOProtocol, ["writable", "close_sent", "handshake_complete"]),
        (WebSocketsSansIOProtocol, ["frames", "queue", "scope", "curr_msg_data_type"]),
        (WebSocketsSansIOProtocol, ["conn.parser_exc", "conn.send_close"]),
        (H11Protocol, ["conn", "loop", "transport"]),
    ],
)
def test_attributes_are_where_they_were(theirs, attributes):
    source = inspect.getsource(theirs)

    assert [name for name in attributes if f"self.{name}" not in source] == []


def test_attributes_of_a_connection_are_copied_from_its_factory():
    source = inspect.getsource(AutobahnProtocol._connectionMade)

    assert "for configAttr in self.CONFIG_ATTRS:" in source
    assert "setattr(self, configAttr, getattr(self.factory, configAttr))" in source
    assert WebSocketProtocol.CONFIG_ATTRS


def test_factories_are_made_before_the_server_is_ready():
    source = inspect.getsource(DaphneServer.run)

    made = [source.index(f"self.{name} =") for name in ("http_factory", "ws_factory")]
    assert max(made) < source.index("self.ready_callable()")
    assert source.index("self.ready_callable()") < source.index("reactor.run(")


def test_headers_are_limited_by_twisted():
    assert HTTPChannel.totalHeadersSize == HTTPChannel.MAX_LENGTH == 16 * 1024
    assert TcpTransport.TLS is False
