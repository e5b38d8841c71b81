"""python-socketio, one room, on uvicorn."""

from __future__ import annotations

from typing import Any

import socketio  # type: ignore[import-not-found]  # Only in the comparison's environment.

from benchmarks.realtime.servers.common import (
    Order,
    make_message,
    parse_arguments,
    run_uvicorn,
)

server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")


@server.event  # type: ignore[untyped-decorator]  # As above.
async def connect(sid: str, environ: dict[str, Any]) -> None:
    await server.enter_room(sid, "bench")


async def publish(order: Order) -> None:
    for number in order.numbers():
        await server.emit("message", make_message(order, number), room="bench")


if __name__ == "__main__":
    run_uvicorn(socketio.ASGIApp(server), parse_arguments(), publish)
