"""What all servers share: arguments, the message, and the connection by which the load client says what to publish.

Orders come as lines over TCP, in the server's own event loop, so publishing costs every peer the same detour.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

MESSAGE_BYTES = 250
HOST = "127.0.0.1"
EVENT, STATE = "e", "s"


class Order(NamedTuple):
    """Publish so many messages, numbered from `first`."""

    kind: str
    """`EVENT` or `STATE`."""
    room: int
    first: int
    how_many: int
    due_ns: int
    """CLOCK_MONOTONIC."""

    def numbers(self) -> Iterator[int]:
        return iter(range(self.first, self.first + self.how_many))


Publish = Callable[[Order], Awaitable[None]]


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--rooms", type=int, default=1)
    return parser


def parse_arguments() -> argparse.Namespace:
    return make_parser().parse_args()


def make_pad(kind: str, due_ns: int, number: int) -> str:
    """Return what fills the message up to its size."""
    name = "bench_event" if kind == EVENT else "bench_state"
    bare = (
        f'{{"type":"{name}","timestamp":"2026-01-01T00:00:00.000000+00:00",'
        f'"data":{{"t":{due_ns},"n":{number},"pad":""}}}}'
    )
    return "x" * max(MESSAGE_BYTES - len(bare), 0)


def make_message(order: Order, number: int) -> dict[str, Any]:
    """Return a whole message; the client looks for `t`, and `n` or `m` behind it."""
    is_event = order.kind == EVENT
    return {
        "type": "bench_event" if is_event else "bench_state",
        "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
        "data": {
            "t": order.due_ns,
            "n" if is_event else "m": number,
            "pad": make_pad(order.kind, order.due_ns, number),
        },
    }


def encode(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


async def serve_control(port: int, publish: Publish) -> asyncio.Server:
    """Take orders until the server ends."""

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while line := await reader.readline():
            kind, *numbers = line.decode().split()
            if kind == "g":
                gc.collect()
            else:
                await publish(Order(kind, *map(int, numbers)))
        writer.close()

    return await asyncio.start_server(handle, HOST, port)


async def wait_for_end() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


def run_daphne(
    application: Any, options: argparse.Namespace, publish: Publish, *, server: Any
) -> None:
    """Serve with Daphne, as its command line would."""
    from twisted.internet import reactor  # Importing Daphne has installed it.

    tasks: list[Any] = []

    def start() -> None:
        async def control() -> None:
            tasks.append(await serve_control(options.control, publish))

        tasks.append(asyncio.get_running_loop().create_task(control()))

    server(
        application,
        endpoints=[f"tcp:port={options.port}:interface={HOST}:backlog=4096"],
        ready_callable=lambda: cast(Any, reactor).callLater(0, start),
        websocket_timeout=-1,
        application_close_timeout=1,
    ).run()


def run_uvicorn(
    application: Any, options: argparse.Namespace, publish: Publish, **config: Any
) -> None:
    """Serve with uvicorn and its own choice of loop, which is uvloop."""
    import uvicorn  # Only these servers need it.
    import uvloop

    async def main() -> None:
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                host=HOST,
                port=options.port,
                backlog=4096,
                log_level="warning",
                lifespan="off",
                timeout_graceful_shutdown=1,
                **config,
            )
        )
        control = await serve_control(options.control, publish)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # It offers no event.
            await asyncio.sleep(0.01)
            await serving
        control.close()

    uvloop.run(main())
