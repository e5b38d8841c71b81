from __future__ import annotations

import base64
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from aniworld_site.downloads.providers.proxying import MAX_CONNECTIONS, Proxy
from tests.downloads.sources import (
    LOCAL,
    PUBLIC_HOST,
    BadSource,
    Request,
    endless,
    make_public,
)


@pytest.fixture
def proxy():
    with Proxy(private_hosts=LOCAL) as running:
        yield running


@pytest.fixture
def strict():
    with Proxy(private_hosts=frozenset()) as running:
        yield running


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0), 10)


def credential(proxy: Proxy) -> str:
    parts = urlsplit(proxy.url)
    token = base64.b64encode(f"{parts.username}:{parts.password}".encode())
    return f"Proxy-Authorization: Basic {token.decode()}"


def read(client: socket.socket) -> bytes:
    data = b""
    try:
        while chunk := client.recv(65536):
            data += chunk
    except OSError:
        pass
    return data


def ask(proxy: Proxy, line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return the whole answer to a request that has the credential."""
    lines = "\r\n".join([f"{line} HTTP/1.1", credential(proxy), *headers])
    with connect(proxy) as client:
        client.sendall(lines.encode() + b"\r\n\r\n" + body)
        return read(client)


def test_page_is_passed_on_without_what_was_meant_for_the_proxy(proxy, source):
    url = source.put("/p?a=b", "hello")

    answer = ask(proxy, f"GET {url}#c", "Host: other.example", "X-A: 1", "TE: trailers")

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nhello")
    ((path, headers),) = source.requests
    assert path == "/p?a=b"
    assert headers["host"] == f"127.0.0.1:{source.port}"
    assert headers["x-a"] == "1"
    assert not {"te", "proxy-authorization"} & {name.lower() for name in headers}
    assert proxy.bytes_moved >= 5


def test_tunnel_passes_both_ways_on(proxy, source):
    source.put("/p", "hello")

    with connect(proxy) as client:
        line = (
            f"CONNECT 127.0.0.1:{source.port} HTTP/1.1\r\n{credential(proxy)}\r\n\r\n"
        )
        client.sendall(line.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /p HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = read(client)

    assert answer.endswith(b"hello")


@pytest.mark.parametrize("given", ["", "Proxy-Authorization: Basic eDp5", "X: y"])
@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_nobody_else_comes_through(proxy, source, method, given):
    target = f"127.0.0.1:{source.port}" if method == "CONNECT" else source.url + "/p"
    with connect(proxy) as client:
        lines = filter(None, [f"{method} {target} HTTP/1.1", given])
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = read(client)

    assert answer.startswith(b"HTTP/1.1 407")
    assert source.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
    ],
)
def test_this_machine_is_refused_with_a_sentence(strict, source, host):
    plain = ask(strict, f"GET http://{host}:{source.port}/p")
    tunnel = ask(strict, f"CONNECT {host}:{source.port}")

    for answer in (plain, tunnel):
        assert answer.startswith(b"HTTP/1.1 403")
        assert b"\r\nX-AniWorld-Refused: " in answer
    assert len(strict.refusals) == 2
    assert source.requests == []


def test_name_is_looked_at_when_it_is_connected_to(strict, source, monkeypatch):
    find = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **options: find("127.0.0.1", *more, **options),
    )

    assert ask(strict, f"GET http://rebinds.example:{source.port}/").startswith(
        b"HTTP/1.1 403"
    )
    assert source.requests == []


def test_public_name_is_reached(strict, source, monkeypatch):
    make_public(monkeypatch)
    source.put("/p", "hello")

    assert b"200" in ask(strict, f"GET http://{PUBLIC_HOST}:{source.port}/p")


@pytest.mark.parametrize(
    "line",
    [
        "GET file:///etc/passwd",
        "GET ftp://x.example/",
        "GET data:,x",
        "GET https://x.example/",
        "GET /p",
        "GET http://user:pass@x.example/",
        "DELETE http://x.example/",
        "CONNECT x.example/y",
        "CONNECT a@127.0.0.1:80",
        "GET",
        "GET a b c",
    ],
)
def test_what_is_no_request_of_ours_is_refused(strict, line):
    assert ask(strict, line)[9:12] in (b"400", b"403", b"502")


def test_header_that_hides_another_is_refused(proxy, source):
    answer = ask(proxy, f"GET {source.url}/p", "X: a\nHost: b")

    assert answer.startswith(b"HTTP/1.1 400")
    assert source.requests == []


def test_second_request_on_a_connection_reaches_nobody(proxy, source):
    """It would go to the first one's server."""
    source.put("/p", "hello")
    second = f"GET {source.url}/second HTTP/1.1\r\n\r\n".encode()

    ask(proxy, f"GET {source.url}/p", body=second)

    assert "/second" not in [path for path, _ in source.requests]


def test_refusal_that_a_server_claims_is_not_passed_on(proxy, source):
    source.put("/p", "no", status=403, headers={"X-AniWorld-Refused": "by me"})

    assert b"by me" not in ask(proxy, f"GET {source.url}/p")


def test_what_is_too_much_is_cut(source):
    source.behave("/p", endless)

    with Proxy(private_hosts=LOCAL, max_bytes=1_000_000) as proxy:
        answer = ask(proxy, f"GET {source.url}/p")

    assert len(answer) <= 1_000_200


def test_unreachable_server_is_a_sentence(proxy):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert ask(proxy, f"GET http://127.0.0.1:{port}/").startswith(b"HTTP/1.1 502")


def test_connections_are_limited(proxy):
    waiting = [connect(proxy) for _ in range(MAX_CONNECTIONS)]
    try:
        deadline = time.monotonic() + 10
        while (answer := ask_raw(proxy)) != b"503" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert answer == b"503"
    finally:
        for client in waiting:
            client.close()


def ask_raw(proxy: Proxy) -> bytes:
    with connect(proxy) as client:
        client.sendall(b"x\r\n\r\n")
        return read(client)[9:12]


def test_stops_within_a_second_though_somebody_waits():
    def wait(request: Request) -> None:
        request.source.stop.wait(20)

    threads = threading.active_count()
    with BadSource().running() as source:
        source.behave("/p", wait)
        proxy = Proxy(private_hosts=LOCAL).__enter__()
        client = connect(proxy)
        client.sendall(
            f"GET {source.url}/p HTTP/1.1\r\n{credential(proxy)}\r\n\r\n".encode()
        )
        while not source.requests:
            time.sleep(0.01)
        began_at = time.monotonic()
        proxy.stop()
        took_s = time.monotonic() - began_at
        ended = read(client)
        ended_s = time.monotonic() - began_at
        client.close()
        source.stop.set()

    assert took_s < 1
    assert ended_s < 1
    assert b"200" not in ended
    with pytest.raises(OSError, match=r"refused|reset"):
        connect(proxy)
    while threading.active_count() > threads:
        time.sleep(0.01)
