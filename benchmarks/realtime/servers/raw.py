"""The floor: one shared frame, written by asyncio to each connection, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
from typing import cast

from benchmarks.realtime.servers.common import (
    HOST,
    Order,
    encode,
    make_message,
    parse_arguments,
    serve_control,
    wait_for_end,
)

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
transports: set[asyncio.Transport] = set()


class Protocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.head = b""

    def data_received(self, data: bytes) -> None:
        if self.transport in transports:
            return
        self.head += data
        if b"\r\n\r\n" not in self.head:
            return
        key = self.head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324  # RFC 6455 wants it.
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        transports.add(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        transports.discard(self.transport)


async def publish(order: Order) -> None:
    for number in order.numbers():
        payload = encode(make_message(order, number)).encode()
        frame = struct.pack("!BBH", 0x81, 126, len(payload)) + payload
        for transport in transports:
            transport.write(frame)


async def main() -> None:
    options = parse_arguments()
    loop = asyncio.get_running_loop()
    await loop.create_server(Protocol, HOST, options.port, backlog=4096)
    control = await serve_control(options.control, publish)
    await wait_for_end()
    control.close()


if __name__ == "__main__":
    asyncio.run(main())
