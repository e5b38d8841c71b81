"""Web processes behind one broker, all of them real, while something breaks under load: nobody loses or hears anything twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from realtime import publishing
from realtime.publishing import publish
from tests.realtime.conftest import configure_layer
from tests.realtime.lab import LabDone, LabRoom
from tests.servers import Valkey

CLIENTS = 500
MESSAGES = 600
TIMEOUT_S = 60
STOPPED_S = 5.0
HEARTBEAT_S = 1.0
"""Of a server whose clients' network is cut; 25 in earnest."""
CUT_S = float(os.environ.get("LAB_CUT_S", "4"))
"""Several heartbeats; the promise is for 30 s, which takes a server of the usual heartbeat as long."""

pytestmark = pytest.mark.fault


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    def __init__(self, server: str, broker_url: str, **environment: str) -> None:
        self.port = find_port()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.realtime.serving", server, str(self.port)],
            env={**os.environ, "LAB_BROKER": broker_url}
            | {"DJANGO_SETTINGS_MODULE": "tests.realtime.project", **environment},
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
        hello = {"protocol": 1, "acks": True, "batch": True}
        await ws.recv()
        await ws.send(json.dumps({"action": "hello", "data": hello}))
        await self._join(ws)
        count = 0
        async for text in ws:
            count += 1
            frame = json.loads(text)
            if frame["type"] == "error":
                # Its broker is slow: the server says when to ask again.
                await asyncio.sleep(frame["data"]["details"]["retry_after_ms"] / 1000)
                await self._join(ws)
                continue
            for each in (
                frame["data"]["messages"] if frame["type"] == "batch" else [frame]
            ):
                self._take(each)
            if frame["type"] == "ping":
                await self._answer(ws, {"action": "pong", "data": frame["data"]})
            if count % 16 == 0:
                await self._answer(ws, {"action": "ack", "data": {"n": count}})
            if self.heard and self.heard[-1] == MESSAGES - 1:
                return

    async def _join(self, ws: Any) -> None:
        data = {"room": "lab"} | ({"since": self.since} if self.since else {})
        await self._answer(ws, {"action": "join", "data": data})

    async def _answer(self, ws: Any, frame: dict[str, Any]) -> None:
        # Where the server has closed meanwhile, what came before that is still to be read.
        with suppress(ConnectionClosed):
            await ws.send(json.dumps(frame))

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


Accident = Callable[[], Coroutine[Any, Any, None]]


async def fire(accident: Accident, *, every_s: float) -> None:
    """Publish without a pause for long, and let it happen after a third."""
    happening: asyncio.Task[None] | None = None
    for number in range(MESSAGES):
        publish(LabRoom(), LabDone(lab_id=number))
        await asyncio.sleep(every_s)
        if number == MESSAGES // 3:
            happening = asyncio.create_task(accident())
    if happening:
        await happening


async def until_joined(clients: Sequence[Client]) -> None:
    while not all(client.since for client in clients):  # noqa: ASYNC110 - they are many
        await asyncio.sleep(0.05)


async def run(
    clients: Sequence[Client], accident: Accident, *, every_s: float = 0.003
) -> None:
    """Let everybody join, something happen, and everybody hear the last message."""
    running = [asyncio.create_task(client.run()) for client in clients]
    try:
        await asyncio.wait_for(until_joined(clients), TIMEOUT_S)
        await fire(accident, every_s=every_s)
        await asyncio.wait_for(asyncio.gather(*running), TIMEOUT_S)
    finally:
        for task in running:
            task.cancel()
        await asyncio.to_thread(publishing.stop)


@contextmanager
def serving(
    broker: Valkey, settings: Any, *servers: str, **environment: str
) -> Iterator[list[Process]]:
    configure_layer(settings, broker, prefix="lab")
    processes = [Process(server, broker.url, **environment) for server in servers]
    try:
        yield processes
    finally:
        for process in processes:
            process.popen.kill()
            process.popen.wait()


def count_lost_and_doubled(clients: Sequence[Client]) -> tuple[int, int]:
    """Count over all clients, each from the first that it heard."""
    lost = doubled = 0
    for client in clients:
        heard = set(client.heard)
        lost += len(set(range(client.heard[0], MESSAGES)) - heard)
        doubled += len(client.heard) - len(heard)
    return lost, doubled


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_one_of_two_processes_ends_under_load(broker, settings, server, end):
    with serving(broker, settings, server, server) as (doomed, other):
        both, alone = [doomed.port, other.port], [other.port]
        clients = [Client(both if index % 2 else alone) for index in range(CLIENTS)]
        await doomed.wait_until_it_listens()
        await other.wait_until_it_listens()

        async def end_one() -> None:
            doomed.popen.send_signal(end)

        await run(clients, end_one)

    assert count_lost_and_doubled(clients) == (0, 0)
    assert sum(client.snapshots for client in clients) == 0
    if end == signal.SIGTERM:
        moved = clients[1::2]
        assert {client.codes[0] for client in moved} == {4503}
        delays = [client.delays[0] for client in moved]
        assert max(delays) <= 5_000
        assert max(delays) - min(delays) > 1_000


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
@pytest.mark.parametrize("how", ["frozen", "killed", "emptied"])
async def test_broker_is_stopped_for_seconds_under_load(broker, settings, server, how):
    with serving(broker, settings, server) as (process,):
        clients = [Client([process.port]) for _ in range(CLIENTS)]
        await process.wait_until_it_listens()

        async def stop_for_a_while() -> None:
            if how == "frozen":
                broker.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(STOPPED_S)
                broker.process.send_signal(signal.SIGCONT)
                return
            broker.kill()
            if how == "emptied":
                broker.forget()
            await asyncio.sleep(STOPPED_S)
            await asyncio.to_thread(broker.start)

        # Not more meanwhile than the history keeps.
        await run(clients, stop_for_a_while, every_s=0.02)

    assert count_lost_and_doubled(clients) == (0, 0)
    # Another stream, that everybody is put into once.
    anew = 1 if how == "emptied" else 0
    assert [client.snapshots for client in clients] == [anew] * CLIENTS
    assert [client.codes for client in clients] == [[]] * CLIENTS


class Relay:
    """A network between clients and a server that can be cut: what is on its way then arrives once it is whole again."""

    def __init__(self, port: int) -> None:
        self.port = find_port()
        self._to = port
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def cut(self, seconds: float) -> None:
        self._is_whole.clear()
        await asyncio.sleep(seconds)
        self._is_whole.set()

    @asynccontextmanager
    async def open(self) -> Any:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._is_whole.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await source.read(64 * 1024):
                await self._is_whole.wait()
                target.write(data)
                await target.drain()
        await self._is_whole.wait()
        target.close()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_network_of_some_clients_is_cut(broker, settings, server):
    heartbeat = {"LAB_HEARTBEAT_S": str(HEARTBEAT_S * CUT_S / 4)}
    with serving(broker, settings, server, **heartbeat) as (process,):
        await process.wait_until_it_listens()
        async with Relay(process.port).open() as relay:
            clients = [
                Client([relay.port if index % 5 == 0 else process.port])
                for index in range(50)
            ]
            await run(clients, lambda: relay.cut(CUT_S), every_s=0.0125 * CUT_S / 4)

    assert count_lost_and_doubled(clients) == (0, 0)
    assert sum(client.snapshots for client in clients) == 0
    # They were given up meanwhile, and came back.
    assert all(client.codes for client in clients[::5])
