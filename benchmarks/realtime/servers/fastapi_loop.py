"""FastAPI with the connection manager of its own tutorial: `send_json` to one connection after the other."""

from __future__ import annotations

from contextlib import suppress

from fastapi import (  # type: ignore[import-not-found]  # Only in the comparison's environment.
    FastAPI,
    WebSocket,
    WebSocketDisconnect,
)

from benchmarks.realtime.servers.common import (
    Order,
    make_message,
    parse_arguments,
    run_uvicorn,
)

application = FastAPI()
connections: list[WebSocket] = []


@application.websocket("/ws/")  # type: ignore[untyped-decorator]  # As above.
async def handle(connection: WebSocket) -> None:
    await connection.accept()
    connections.append(connection)
    with suppress(WebSocketDisconnect):
        while True:
            await connection.receive_text()
    connections.remove(connection)


async def publish(order: Order) -> None:
    for number in order.numbers():
        message = make_message(order, number)
        for connection in connections:
            with suppress(RuntimeError, WebSocketDisconnect):
                await connection.send_json(message)


if __name__ == "__main__":
    run_uvicorn(application, parse_arguments(), publish)
