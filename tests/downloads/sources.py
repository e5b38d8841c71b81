"""A source of episodes that behaves as badly as it is told: a web server on this machine, for one test."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

Behaviour = Callable[["Request"], None]
LOCAL = frozenset({"127.0.0.1"})
"""Hosts of the own network that tests allow: where the bad source is."""


@dataclass
class Page:
    """What is at a path."""

    content: bytes = b""
    type: str = "text/plain"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    behaviour: Behaviour | None = None
    """Answers in its place."""


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    source: BadSource

    def do_GET(self) -> None:
        self.source.requests.append((self.path, dict(self.headers)))
        page = self.source.pages.get(self.path)
        if page is None:
            self.answer(404, b"nothing here")
        elif page.behaviour is not None:
            page.behaviour(self)
        else:
            self.answer(page.status, page.content, type=page.type, **page.headers)

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(content)))
        for name, value in headers.items():
            name = "Content-Type" if name == "type" else name.replace("_", "-")
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Be quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Be quiet: clients that hang up are what is tested."""


class BadSource:
    """Pages by path, and the requests that came: `(path, headers)`, in order."""

    server_type: type[Server] = Server

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stop = threading.Event()
        """What a behaviour may wait for."""
        handler = type("Handler", (Request,), {"source": self})
        self._server = self.server_type(("127.0.0.1", 0), handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def put(self, path: str, content: bytes | str, **fields: object) -> str:
        """Put something at a path and return its address."""
        data = content.encode() if isinstance(content, str) else content
        self.pages[path] = Page(content=data, **fields)  # type: ignore[arg-type]  # As Page has them.
        return self.url + path

    def behave(self, path: str, behaviour: Behaviour) -> str:
        """Let something else than a page be at a path, and return its address."""
        self.pages[path] = Page(behaviour=behaviour)
        return self.url + path

    @contextmanager
    def running(self) -> Iterator[BadSource]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def redirect(to: str) -> Behaviour:
    return lambda request: request.answer(302, Location=to)


def drip(request: Request) -> None:
    """Send a byte from time to time, for long."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    try:
        for _ in range(1000):
            request.wfile.write(b"x")
            time.sleep(0.02)
    except OSError:
        request.close_connection = True


def endless(request: Request) -> None:
    """Send without an end."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(bytes(65536))
    except OSError:
        request.close_connection = True


def reset(request: Request) -> None:
    """Promise more than comes, and cut the connection."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"x" * 100)
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def bomb(request: Request) -> None:
    """Send a little that unpacks to much."""
    packed = gzip.compress(bytes(64 * 1024 * 1024))
    request.answer(200, packed, Content_Encoding="gzip")


PUBLIC_HOST, PUBLIC_ADDRESS = "public.example", "93.184.216.34"


def make_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `public.example` found at a public address, and what connects there come to this machine."""
    find, connect = socket.getaddrinfo, httpcore.SyncBackend.connect_tcp
    create = socket.create_connection

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        found = PUBLIC_ADDRESS if host == PUBLIC_HOST else host
        return find(found, port, *arguments, **options)

    def connect_tcp(backend: Any, host: str, *arguments: Any, **options: Any) -> Any:
        there = "127.0.0.1" if host == PUBLIC_ADDRESS else host
        return connect(backend, there, *arguments, **options)

    def create_connection(address: Any, *arguments: Any, **options: Any) -> Any:
        there = "127.0.0.1" if address[0] == PUBLIC_ADDRESS else address[0]
        return create((there, address[1]), *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)
