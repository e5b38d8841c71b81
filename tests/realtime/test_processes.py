"""Two web processes behind one broker, one of which is killed or drained: nobody loses or hears anything twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime import publishing
from realtime.publishing import publish
from tests.realtime.conftest import configure_layer
from tests.realtime.lab import LabDone, LabRoom

CLIENTS = 60
MESSAGES = 1_500
TIMEOUT_S = 30

pytestmark = pytest.mark.fault


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    def __init__(self, server: str, broker_url: str) -> None:
        self.port = find_port()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.realtime.serving", server, str(self.port)],
            env={**os.environ, "LAB_BROKER": broker_url}
            | {"DJANGO_SETTINGS_MODULE": "tests.realtime.project"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def wait_until_it_listens(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    return


class Client:
    """Comes back where it can, from where it was, and keeps what it heard."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.heard: list[int] = []
        self.since: dict[str, Any] | None = None
        self.codes: list[int] = []
        self.delays: list[int] = []
        self.snapshots = 0

    async def run(self) -> None:
        while True:
            for port in tuple(self.ports):
                try:
                    async with connect(
                        f"ws://127.0.0.1:{port}/ws/", compression=None, open_timeout=10
                    ) as ws:
                        await self._listen(ws)
                        return
                except ConnectionClosed as closed:
                    self.codes.append(closed.rcvd.code if closed.rcvd else 1006)
                except OSError:
                    await asyncio.sleep(0.05)

    async def _listen(self, ws: Any) -> None:
        data = {"room": "lab"} | ({"since": self.since} if self.since else {})
        hello = {"protocol": 1, "acks": True, "batch": True}
        await ws.recv()
        await ws.send(json.dumps({"action": "hello", "data": hello}))
        await ws.send(json.dumps({"action": "join", "data": data}))
        count = 0
        async for text in ws:
            count += 1
            frame = json.loads(text)
            for each in (
                frame["data"]["messages"] if frame["type"] == "batch" else [frame]
            ):
                self._take(each)
            if count % 16 == 0:
                await ws.send(json.dumps({"action": "ack", "data": {"n": count}}))
            if self.heard and self.heard[-1] == MESSAGES - 1:
                return

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "bye":
            self.delays.append(frame["data"]["after_ms"])
        elif frame["type"] == "joined":
            self.snapshots += self.since is not None and not frame["data"]["recovered"]
            self.since = {"epoch": frame["data"]["epoch"], "seq": frame["data"]["seq"]}
        elif "seq" in frame:
            assert self.since is not None
            assert frame["prev"] == self.since["seq"]
            self.since["seq"] = frame["seq"]
            self.heard.append(frame["data"]["lab_id"])


async def fire_and_end(doomed: Process, end: signal.Signals) -> None:
    """Publish without a pause for long, and end a process on the way."""
    for number in range(MESSAGES):
        publish(LabRoom(), LabDone(lab_id=number))
        if number % 10 == 0:
            await asyncio.sleep(0.01)
        if number == MESSAGES // 3:
            doomed.popen.send_signal(end)


async def until_joined(clients: list[Client]) -> None:
    while not all(client.since for client in clients):  # noqa: ASYNC110 - they are many
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_one_of_two_processes_ends_under_load(broker, settings, server, end):
    configure_layer(settings, broker, prefix="lab")
    doomed, other = Process(server, broker.url), Process(server, broker.url)
    both, alone = [doomed.port, other.port], [other.port]
    clients = [Client(both if index % 2 else alone) for index in range(CLIENTS)]
    try:
        await doomed.wait_until_it_listens()
        await other.wait_until_it_listens()
        running = [asyncio.create_task(client.run()) for client in clients]
        await asyncio.wait_for(until_joined(clients), TIMEOUT_S)
        await fire_and_end(doomed, end)
        await asyncio.wait_for(asyncio.gather(*running), TIMEOUT_S)
    finally:
        for process in (doomed, other):
            process.popen.kill()
            process.popen.wait()
        await asyncio.to_thread(publishing.stop)

    assert [client.snapshots for client in clients] == [0] * CLIENTS
    for client in clients:
        assert client.heard == list(range(client.heard[0], MESSAGES))
    if end == signal.SIGTERM:
        moved = clients[1::2]
        assert {client.codes[0] for client in moved} == {4503}
        delays = [client.delays[0] for client in moved]
        assert max(delays) <= 5_000
        assert max(delays) - min(delays) > 1_000
