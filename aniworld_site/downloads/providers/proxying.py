"""A proxy on this machine for a program that is not ours: it reaches what the guard lets it reach, and nobody else may use it.

Every request and tunnel is looked at when it connects, so also what a redirect leads to, and what a name means by then.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import secrets
import select
import socket
import socketserver
import threading
from collections.abc import Collection, Iterator
from time import monotonic
from types import TracebackType

import httpcore

from aniworld_site.downloads.providers.base import ProviderError
from aniworld_site.downloads.providers.fetching import GuardedBackend
from aniworld_site.downloads.providers.guarding import (
    GuardError,
    check_url,
)
from aniworld_site.downloads.ytdlp.troubles import REFUSED

METHODS = ("GET", "HEAD", "POST")
MAX_HEAD = 64 * 1024
MAX_BODY = 4 * 1024 * 1024
"""Of a request."""
MAX_CONNECTIONS = 32
CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S = 10.0, 60.0
CHUNK = 64 * 1024
POLL_S = 0.25
USER = "aniworld"
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authorization proxy-connection proxy-authenticate te trailer upgrade".split()
)
REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    407: "Proxy Authentication Required",
    413: "Content Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
}

Headers = list[tuple[bytes, bytes]]


class Proxy:
    """A forward proxy on a free port of 127.0.0.1, in threads, for as long as the block lasts."""

    def __init__(
        self, *, private_hosts: Collection[str] = (), max_bytes: int | None = None
    ) -> None:
        self.backend = GuardedBackend(private_hosts=private_hosts)
        self.private_hosts = private_hosts
        self.max_bytes = max_bytes
        """Of everything that comes; what is more is cut."""
        self.bytes_moved = 0
        self.refusals: list[str] = []
        """Sentences, the first 20."""
        password = secrets.token_urlsafe(24)
        token = base64.b64encode(f"{USER}:{password}".encode())
        self.credential = b"Basic " + token
        self.stopping = threading.Event()
        self.slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        port = self._server.server_address[1]
        self.url = f"http://{USER}:{password}@127.0.0.1:{port}"
        """With the credential: in no list of processes, and in no log."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), daemon=True
        )

    def __enter__(self) -> Proxy:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cut all connections and give the port back, within a second."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)

    @property
    def is_spent(self) -> bool:
        """Whether more came than may, so that it was cut."""
        return self.max_bytes is not None and self.bytes_moved > self.max_bytes

    def count(self, length: int) -> bool:
        """Add what came; False where it is too much."""
        with self._lock:
            self.bytes_moved += length
            return not self.is_spent

    def note_refusal(self, sentence: str) -> None:
        with self._lock:
            if len(self.refusals) < 20:
                self.refusals.append(sentence)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # A connection in a long wait holds nothing up: it looks at `stopping`.
    block_on_close = False
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Be quiet: a connection that ends is not worth a traceback."""


class _Answer(Exception):  # noqa: N818 - an answer is no fault
    """Ends a request with an answer of the proxy's own."""

    def __init__(self, status: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.status = status


class _Handler(socketserver.BaseRequestHandler):
    """One connection: one request or one tunnel."""

    request: socket.socket
    server: _Server

    def handle(self) -> None:
        proxy = self.server.proxy
        if not proxy.slots.acquire(blocking=False):
            self._answer(_Answer(503, "Too many connections."))
            return
        try:
            self.request.settimeout(IDLE_TIMEOUT_S)
            self._serve(proxy)
        except _Answer as answer:
            self._answer(answer)
        except OSError:
            return
        finally:
            proxy.slots.release()

    def _serve(self, proxy: Proxy) -> None:
        (method, target), headers, rest = _read_request(self.request)
        given = dict(headers).get(b"proxy-authorization", b"")
        if not hmac.compare_digest(given, proxy.credential):
            raise _Answer(407, "This proxy is not for you.")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            # Python before 3.12 leaves the brackets away.
            host = f"[{host}]" if ":" in host and host[0] != "[" else host
            upstream = self._connect(proxy, f"https://{host}:{port}/", method)
            with contextlib.closing(upstream):
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tunnel(proxy, upstream, rest)
            return
        if method not in METHODS or target[:8].lower() == "https://":
            raise _Answer(400, "Expected GET, HEAD or POST of http, or CONNECT.")
        body = _read_body(self.request, headers, rest)
        upstream = self._connect(proxy, target, method)
        with contextlib.closing(upstream):
            upstream.sendall(_make_head(method, target, headers) + body)
            self._relay(proxy, upstream)

    def _connect(self, proxy: Proxy, url: str, method: str) -> socket.socket:
        """Return a connection to where an address is, if that is allowed."""
        try:
            parts = check_url(url, private_hosts=proxy.private_hosts)
            port = parts.port or (443 if method == "CONNECT" else 80)
            stream = proxy.backend.connect_tcp(
                parts.hostname or "", port, CONNECT_TIMEOUT_S
            )
        except GuardError as error:
            proxy.note_refusal(str(error))
            raise _Answer(403, str(error)) from error
        except (
            ProviderError,
            httpcore.NetworkError,
            httpcore.TimeoutException,
        ) as error:
            raise _Answer(502, f"It cannot be reached: {error}") from error
        upstream = stream.get_extra_info("socket")
        if not isinstance(upstream, socket.socket):
            raise _Answer(502, "It cannot be reached.")
        upstream.settimeout(IDLE_TIMEOUT_S)
        return upstream

    def _tunnel(self, proxy: Proxy, upstream: socket.socket, rest: bytes) -> None:
        upstream.sendall(rest)
        for chunk, is_answer in self._wait(proxy, upstream):
            (self.request if is_answer else upstream).sendall(chunk)

    def _relay(self, proxy: Proxy, upstream: socket.socket) -> None:
        """Pass one answer on. What the client sends meanwhile is the next request, perhaps for elsewhere: the connection ends."""
        head: bytes | None = b""
        for chunk, is_answer in self._wait(proxy, upstream):
            if not is_answer:
                return
            if head is None:
                self.request.sendall(chunk)
                continue
            head += chunk
            if b"\r\n\r\n" in head:
                self.request.sendall(_close_after(head))
                head = None
            elif len(head) > MAX_HEAD:
                raise _Answer(502, "It answers with too many headers.")
        if head is not None:
            raise _Answer(502, "It ended without an answer.")

    def _wait(
        self, proxy: Proxy, upstream: socket.socket
    ) -> Iterator[tuple[bytes, bool]]:
        """Yield what comes and whether it is from upstream, until one end is through, or a limit is reached."""
        heard_at = monotonic()
        while not proxy.stopping.is_set() and monotonic() - heard_at < IDLE_TIMEOUT_S:
            for ready in select.select([self.request, upstream], [], [], POLL_S)[0]:
                heard_at = monotonic()
                chunk = ready.recv(CHUNK)
                if not chunk or not proxy.count(len(chunk)):
                    return
                yield chunk, ready is upstream

    def _answer(self, answer: _Answer) -> None:
        reason = REASONS[answer.status]
        # A tunnel's client is told the first line only.
        said = str(answer).encode("ascii", "replace").decode()[:400]
        lines = [
            f"HTTP/1.1 {answer.status} {said or reason}",
            f"{REFUSED}: {said}" if answer.status == 403 else "",
            'Proxy-Authenticate: Basic realm="aniworld"'
            if answer.status == 407
            else "",
            f"Content-Length: {len(said)}",
            "Content-Type: text/plain",
            "Connection: close",
        ]
        text = "\r\n".join(filter(None, lines)) + f"\r\n\r\n{said}"
        with contextlib.suppress(OSError):
            self.request.sendall(text.encode())


def _read_request(client: socket.socket) -> tuple[tuple[str, str], Headers, bytes]:
    """Return method and target, the headers with small names, and what came after them."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(CHUNK)
        if not chunk or len(data) > MAX_HEAD:
            raise _Answer(400, "Expected a request.")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or not first.isascii() or not words[2].startswith(b"HTTP/1."):
        raise _Answer(400, "Expected a request.")
    return (words[0].decode(), words[1].decode()), [*map(_split, lines)], rest


def _split(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    # A bare line break in a value would be a header of its own for the other side.
    if not colon or not name or name != name.strip() or b"\n" in line or b"\r" in line:
        raise _Answer(400, "Expected headers.")
    return name.lower(), value.strip()


def _read_body(client: socket.socket, headers: Headers, rest: bytes) -> bytes:
    known = dict(headers)
    length = known.get(b"content-length", b"0")
    if b"transfer-encoding" in known or not length.isdigit():
        raise _Answer(400, "Expected a body with its length.")
    if len(length) > 9 or int(length) > MAX_BODY:
        raise _Answer(413, f"Expected a body of at most {MAX_BODY >> 20} MiB.")
    while len(rest) < int(length):
        chunk = client.recv(CHUNK)
        if not chunk:
            raise _Answer(400, "The body ended early.")
        rest += chunk
    return rest[: int(length)]


def _make_head(method: str, target: str, headers: Headers) -> bytes:
    """Return what the server is asked: the path only, and nothing that was meant for the proxy."""
    rest = target.partition("://")[2]
    host, slash, path = rest.partition("/")
    if not slash:
        host, mark, query = rest.partition("?")
        path = f"{mark}{query}"
    kept = [
        name + b": " + value
        for name, value in headers
        if name not in HOP_BY_HOP and name != b"host"
    ]
    lines = [
        f"{method} /{path.partition('#')[0]} HTTP/1.1".encode(),
        f"host: {host.partition('#')[0]}".encode(),
        *kept,
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _close_after(data: bytes) -> bytes:
    """Return an answer's beginning with a note that the connection ends after it."""
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    kept = [
        line
        for line in lines
        if line.partition(b":")[0].strip().lower() not in HOP_BY_HOP
        # The proxy's own, which a server must not say.
        and line.partition(b":")[0].strip().lower() != REFUSED.lower().encode()
    ]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n" + rest
