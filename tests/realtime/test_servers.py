"""The same round trip through real servers and a client that is not ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from realtime import publishing
from realtime.publishing import publish
from tests.realtime.conftest import configure_layer
from tests.realtime.lab import LabDone, LabRoom

SERVERS = {
    "uvicorn": [
        "uvicorn",
        "tests.realtime.asgi:application",
        "--port",
        "0",
        "--ws",
        "websockets-sansio",
        "--lifespan",
        "off",
    ],
    "daphne": [
        "daphne",
        "-e",
        "tcp:0:interface=127.0.0.1",
        "tests.realtime.asgi:application",
    ],
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request, broker):
    """Yield the address of a running server."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
        "LAB_BROKER": broker.url,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", *SERVERS[request.param]]
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        log = []
        for line in process.stderr:
            log.append(line)
            if match := re.search(
                r"(?:running on http://|TCP address )127\.0\.0\.1:(\d+)", line
            ):
                break
        else:
            pytest.fail("".join(log))
        yield f"127.0.0.1:{match[1]}"
        process.terminate()
        process.stderr.read()


@pytest.fixture
def address(server, broker, settings):
    """The same, and what is published here reaches it."""
    configure_layer(settings, broker, prefix="lab")
    yield server
    publishing.stop()


async def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


async def test_round_trip(address):
    async with connect(f"ws://{address}/ws/") as socket:
        assert (await receive(socket))["type"] == "connected"
        await socket.send(json.dumps({"action": "join", "room": "lab", "ref": "1"}))
        assert (await receive(socket))["ref"] == "1"

        for number in range(500):
            publish(LabRoom(), LabDone(lab_id=number))
        received = [(await receive(socket))["data"]["lab_id"] for _ in range(500)]

        assert received == list(range(500))
        await socket.send(json.dumps({"action": "leave", "data": {"room": "lab"}}))
        assert (await receive(socket))["type"] == "left"


async def test_page_of_the_same_origin_may_connect(address):
    async with connect(
        f"ws://{address}/ws/", origin=Origin(f"http://{address}")
    ) as socket:
        assert (await receive(socket))["type"] == "connected"


async def test_close_code_arrives_behind_the_bye(address):
    async with connect(
        f"ws://{address}/ws/", origin=Origin("http://evil.example")
    ) as socket:
        bye = await receive(socket)
        await socket.wait_closed()

        assert (bye["type"], bye["data"]["code"], socket.close_code) == (
            "bye",
            4403,
            4403,
        )


async def test_five_invalid_frames_close(address):
    async with connect(f"ws://{address}/ws/") as socket:
        for _ in range(5):
            await socket.send("nonsense")
        frames = [await receive(socket) for _ in range(7)]
        await socket.wait_closed()

        assert [frame["type"] for frame in frames] == ["connected"] + ["error"] * 5 + [
            "bye"
        ]
        assert socket.close_code == 4400
