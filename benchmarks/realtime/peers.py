"""What is compared: how each server is started, and how its clients speak."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
CORE_LAYER = {"BENCH_LAYER": "channels_redis.core.RedisChannelLayer"}
PLAIN, OURS, SOCKETIO = "plain", "ours", "socketio"
DJANGO = "django_project"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A server and the way to talk to it."""

    name: str
    title: str
    program: str
    """A module below `servers`, or a file of Node."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    protocol: str = PLAIN
    path: str = "/ws/"
    """With `%d` for the number of the room."""
    settings: Mapping[str, int] = field(default_factory=dict)
    """Of the load client."""

    @property
    def is_django(self) -> bool:
        return self.program == DJANGO

    @property
    def command(self) -> list[str]:
        if self.program.endswith(".mjs"):
            # Its sockets keep what they do not read in memory that is not limited, so its default heap is right.
            return ["node", str(FOLDER / "node" / self.program), *self.arguments]
        module = f"benchmarks.realtime.servers.{self.program}"
        return [sys.executable, "-m", module, *self.arguments]


_ALL = (
    Peer(
        name="ours-daphne",
        title="AniWorld's realtime on Daphne",
        program=DJANGO,
        arguments=("ours",),
        protocol=OURS,
    ),
    Peer(
        name="ours-uvicorn",
        title="AniWorld's realtime on uvicorn, plain ASGI",
        program=DJANGO,
        arguments=("ours", "--server", "uvicorn"),
        protocol=OURS,
    ),
    Peer(
        name="ours-daphne-part1",
        title="AniWorld's realtime on Daphne, clients without `hello`",
        program=DJANGO,
        arguments=("ours",),
        protocol=OURS,
        settings={"acks": 0},
    ),
    Peer(
        name="stock-pubsub",
        title="Channels' tutorial on Daphne, pub/sub layer",
        program=DJANGO,
        arguments=("stock",),
        path="/ws/chat/%d/",
    ),
    Peer(
        name="stock-core",
        title="Channels' tutorial on Daphne, Redis layer",
        program=DJANGO,
        arguments=("stock",),
        environment=CORE_LAYER,
        path="/ws/chat/%d/",
    ),
    Peer(
        name="chanx",
        title="chanx on Daphne, pub/sub layer",
        program=DJANGO,
        arguments=("chanx",),
    ),
    Peer(
        name="fastapi",
        title="FastAPI, `send_json` in a loop, on uvicorn",
        program="fastapi_loop",
    ),
    Peer(
        name="python-socketio",
        title="python-socketio on uvicorn",
        program="socketio_server",
        protocol=SOCKETIO,
        path="/socket.io/?EIO=4&transport=websocket",
    ),
    Peer(
        name="broadcast",
        title="`websockets`, `broadcast()`",
        program="websockets_broadcast",
    ),
    Peer(
        name="node-socketio",
        title="Socket.IO on Node",
        program="socketio.mjs",
        protocol=SOCKETIO,
        path="/socket.io/?EIO=4&transport=websocket",
    ),
    Peer(
        name="node-ws",
        title="`ws` on Node, a loop",
        program="ws.mjs",
        path="/ws/%d/",
    ),
    Peer(
        name="raw",
        title="Floor: asyncio writes of one shared frame",
        program="raw",
    ),
)
PEERS = {peer.name: peer for peer in _ALL}
