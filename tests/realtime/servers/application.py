"""What the servers of these tests run: `python -m tests.realtime.servers.application SERVER`.

Its log has its port, and what it is asked to do comes by path and text.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
from typing import Any

from realtime.transports import EXTENSION

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES = 64 * 1024

links: set[Any] = set()
go_on: asyncio.Event | None = None


def make_frame(text: bytes) -> bytes:
    if len(text) < 126:
        return struct.pack("!BB", 0x81, len(text)) + text
    if len(text) < 65536:
        return struct.pack("!BBH", 0x81, 126, len(text)) + text
    return struct.pack("!BBQ", 0x81, 127, len(text)) + text


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        if scope["path"] == "/slow":
            logger.info("slow request")
            await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/stream":
            await stream(send)
        await send({"type": "http.response.body", "body": b"well"})
        return
    if scope["type"] != "websocket":
        return
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"] == "/late":
        await get_event().wait()
    await send({"type": "websocket.accept"})
    link = scope["extensions"][EXTENSION]
    links.add((link, send))
    try:
        await actions[scope["path"]](link, receive, send)
    finally:
        links.discard((link, send))


async def stream(send: Any) -> None:
    """Respond with 100 MB, as fast as they are read."""
    for number in range(1_000):
        body = b"%08d" % number * 12_500
        await send({"type": "http.response.body", "body": body, "more_body": True})
        logger.info("sent %d", number)


def get_event() -> asyncio.Event:
    global go_on
    if go_on is None:
        go_on = asyncio.Event()
    return go_on


async def echo(_link: Any, receive: Any, send: Any) -> None:
    """Answer with the size of what came."""
    while (event := await receive())["type"] == "websocket.receive":
        data = event.get("text")
        kind = "bytes" if data is None else "text"
        size = len(event["bytes"] if data is None else data)
        await send({"type": "websocket.send", "text": f"{kind} {size}"})


async def stall(_link: Any, receive: Any, send: Any) -> None:
    """Take nothing until told so, then say how much came."""
    await get_event().wait()
    count = 0
    while (event := await receive()).get("text") != "end":
        count += 1
        if event["type"] == "websocket.disconnect":
            return
    await send({"type": "websocket.send", "text": str(count)})
    await receive()


async def release(_link: Any, receive: Any, send: Any) -> None:
    get_event().set()
    await receive()


async def mix(link: Any, receive: Any, send: Any) -> None:
    """Write numbered frames by turns with sends, so many that most of them wait."""
    for number in range(0, 3000, 3):
        link.write(make_frame(b"%06d" % number + b"x" * 200))
        await send({"type": "websocket.send", "text": f"{number + 1:06}" + "x" * 200})
        link.write(make_frame(b"%06d" % (number + 2) + b"x" * 200))
    await receive()


async def fill(link: Any, receive: Any, send: Any) -> None:
    """Write until something waits, say how much once nothing does."""
    drained = asyncio.Event()
    link.on_drained = drained.set
    written = 0
    while not link.write(make_frame(b"y" * 10_000)):
        assert link.waiting_bytes() == 0
        written += 1
    written += 1
    waiting = link.waiting_bytes()
    assert link.write(make_frame(b"y" * 10_000))
    more = link.waiting_bytes() - waiting
    await receive()
    await drained.wait()
    left = link.waiting_bytes()
    link.write(make_frame(b"frames %d more %d left %d" % (written + 1, more, left)))
    await receive()
    link.write(make_frame(b"into the void"))


async def flood(link: Any, receive: Any, send: Any) -> None:
    """Write without looking, and so be cut off."""
    frame = make_frame(b"z" * 10_000)
    peak = 0
    while link.is_open:
        link.write(frame)
        peak = max(peak, link.waiting_bytes())
        await asyncio.sleep(0)
    logger.info("peak %d", peak)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    link.write(frame)
    logger.info("disconnected")


async def send_blindly(_link: Any, receive: Any, send: Any) -> None:
    """Send by ASGI without looking; ends when it is disconnected."""
    for _ in range(2_000):
        await send({"type": "websocket.send", "text": "z" * 10_000})
        await asyncio.sleep(0)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    logger.info("disconnected")


actions = {
    "/echo": echo,
    "/stall": stall,
    "/late": echo,
    "/release": release,
    "/mix": mix,
    "/fill": fill,
    "/flood": flood,
    "/send": send_blindly,
}


async def say_goodbye() -> None:
    for link, send in list(links):
        link.write(make_frame(b"bye"))
        if link.is_open and sys.argv[2:] != ["lazy"]:
            await send({"type": "websocket.close", "code": 4503})


def run(name: str) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if name == "daphne":
        from realtime.servers.daphne import Server

        Server(
            application,
            endpoints=["tcp:0:interface=127.0.0.1"],
            on_shutdown=say_goodbye,
            websocket_max_message_size=MAX_FRAME_BYTES,
            websocket_max_frame_size=MAX_FRAME_BYTES,
        ).run()
    else:
        from realtime.servers.uvicorn import make_server

        make_server(
            application,
            on_shutdown=say_goodbye,
            port=0,
            ws_max_size=MAX_FRAME_BYTES,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=2,
        ).run()


if __name__ == "__main__":
    from realtime.servers import bounds

    bounds.HEADER_TIMEOUT_S = 1  # Tests do not wait for ten.
    run(sys.argv[1])
