"""The `websockets` library and its `broadcast()`."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.realtime.servers.common import (
    HOST,
    Order,
    encode,
    make_message,
    parse_arguments,
    serve_control,
    wait_for_end,
)

connections: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    connections.add(connection)
    try:
        await connection.wait_closed()
    finally:
        connections.discard(connection)


async def publish(order: Order) -> None:
    for number in order.numbers():
        broadcast(connections, encode(make_message(order, number)))


async def main() -> None:
    options = parse_arguments()
    async with serve(handle, HOST, options.port, backlog=4096, close_timeout=0.1):
        control = await serve_control(options.control, publish)
        await wait_for_end()
        control.close()


if __name__ == "__main__":
    asyncio.run(main())
