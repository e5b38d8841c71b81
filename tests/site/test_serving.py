"""What serves the pages, with the site behind it."""

from __future__ import annotations

import http.client
import json
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.running import PASSWORD, USER, RunningSite

pytestmark = pytest.mark.fault


@pytest.fixture(params=["daphne", "uvicorn"])
def site(request: pytest.FixtureRequest) -> Iterator[RunningSite]:
    site = RunningSite("--server", request.param)
    try:
        yield site.start()
    finally:
        site.remove()


def log_in(site: RunningSite) -> str:
    """Return the cookies of a browser that is logged in."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    cookies = SimpleCookie()

    def ask(method: str, path: str, body: str | None = None) -> tuple[str, str]:
        headers = {
            "Cookie": "; ".join(
                f"{name}={crumb.value}" for name, crumb in cookies.items()
            ),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            cookies.load(cookie)
        return answer.read().decode(), answer.getheader("Location", "")

    _page, path = ask("GET", "/")
    page, _location = ask("GET", path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "username": USER, "password": PASSWORD}
    ask("POST", path, urlencode(form))
    connection.close()
    return "; ".join(f"{name}={crumb.value}" for name, crumb in cookies.items())


def test_everybody_is_sent_away_before_the_end(site: RunningSite):
    headers = {"Cookie": log_in(site)}

    def open_socket() -> ClientConnection:
        return connect(
            f"ws://127.0.0.1:{site.port}/ws/",
            origin=Origin(site.url),
            additional_headers=headers,
        )

    with ExitStack() as stack:
        sockets = [stack.enter_context(open_socket()) for _ in range(5)]
        assert all("connected" in str(socket.recv(timeout=5)) for socket in sockets)
        # What is too large for the site is small enough for the server, and so gets an answer.
        sockets[0].send("x" * 20_000)
        assert "too_large" in str(sockets[0].recv(timeout=5))

        assert site.process is not None
        site.process.send_signal(signal.SIGTERM)

        waits = []
        for socket in sockets:
            bye = json.loads(socket.recv(timeout=8))
            assert (bye["type"], bye["data"]["code"]) == ("bye", 4503)
            waits.append(bye["data"]["after_ms"])
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=8)
            assert socket.close_code == 4503
        assert len(set(waits)) > 1

    site.process.wait(20)
    assert "Traceback" not in site.log.read_text()
