from __future__ import annotations

import asyncio
from typing import Any

import pytest

from realtime.deliveries import Delivery
from realtime.transports import (
    EXTENSION,
    AsgiTransport,
    SharedTransport,
    make_transport,
)


class Server:
    """An ASGI server's side: `writable` is its buffer having room."""

    def __init__(self) -> None:
        self.events: list[str | int | None] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.steps_per_send = 0
        self.freed = 0

    async def send(self, event: dict[str, Any]) -> None:
        await self.writable.wait()
        for _ in range(self.steps_per_send):
            await asyncio.sleep(0)
        self.events.append(event.get("text", event.get("code")))

    def make_transport(self) -> AsgiTransport:
        transport = AsgiTransport(self.send)
        transport.on_free = self.free
        return transport

    def free(self) -> None:
        self.freed += 1


class Extension:
    """A server's `realtime.transport`: `has_room` is its socket taking everything."""

    def __init__(self) -> None:
        self.on_drained: Any = None
        self.wires: list[bytes] = []
        self.has_room = True

    def write(self, wire: bytes) -> bool:
        self.wires.append(wire)
        return not self.has_room


def say(*texts: str) -> Delivery:
    return Delivery(texts)


@pytest.fixture
def server():
    return Server()


async def settle(transport: AsgiTransport) -> None:
    while transport._task is not None:
        await transport._task


async def test_write_that_does_not_suspend_is_done_at_once_and_costs_no_task(server):
    transport = server.make_transport()
    tasks = len(asyncio.all_tasks())

    assert not transport.write(say("a", "b"))
    assert not transport.write(say("c"))

    assert server.events == ["a", "b", "c"]
    assert len(asyncio.all_tasks()) == tasks


@pytest.mark.parametrize("steps", [0, 1, 3])
async def test_order_is_kept_when_sends_suspend(server, steps):
    server.steps_per_send = steps
    server.writable.clear()
    transport = server.make_transport()

    assert transport.write(say(*map(str, range(50))))
    assert transport.write(say("50"))
    assert server.events == []
    server.writable.set()
    await settle(transport)
    transport.write(say("last"))
    await settle(transport)

    assert server.events == [str(number) for number in range(51)] + ["last"]


async def test_busy_transport_says_once_that_it_is_free(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write(say("a", "b"))

    server.writable.set()
    await settle(transport)

    assert server.freed == 1


async def test_close_sends_what_waits_then_the_last_frame_and_the_code(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write(say("a", "b"))
    closing = asyncio.create_task(transport.close(4400, last="bye"))
    await asyncio.sleep(0)
    server.writable.set()
    await closing
    transport.write(say("late"))

    assert server.events == ["a", "b", "bye", 4400]
    assert server.freed == 0


async def test_close_of_a_reader_that_stalls_ends(server, monkeypatch):
    monkeypatch.setattr("realtime.transports.CLOSE_TIMEOUT_S", 0.01)
    server.writable.clear()
    transport = server.make_transport()
    transport.write(say("a"))

    await transport.close(4408, last="bye")

    assert server.events == []
    writing = transport._task
    assert writing is not None
    transport.discard()
    await asyncio.wait([writing])
    assert transport._task is None


async def test_connection_that_is_gone_raises_nothing():
    calls = 0

    async def send(event):
        nonlocal calls
        calls += 1
        raise OSError("closed")

    transport = AsgiTransport(send)

    transport.write(say("a"))
    transport.write(say("b"))
    await transport.close(1000, last="bye")

    assert calls == 2


async def test_connection_that_goes_while_a_send_waits_raises_nothing(server):
    async def send(event):
        await server.writable.wait()
        raise OSError("closed")

    server.writable.clear()
    transport = AsgiTransport(send)
    transport.write(say("a", "b"))
    server.writable.set()
    await settle(transport)

    transport.write(say("c"))
    assert transport._task is None


async def test_discard_cancels_the_send_that_waits(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write(say("a"))
    task = transport._task

    transport.discard()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_server_that_takes_bytes_gets_shared_ones(server):
    extension = Extension()
    transport = make_transport({"extensions": {EXTENSION: extension}}, server.send)
    shared = say("a", "b")

    assert not transport.write(shared)

    assert extension.wires == [b"\x81\x01a\x81\x01b"]
    assert extension.wires[0] is shared.wire


async def test_bytes_that_wait_are_told_and_so_is_their_end(server):
    extension = Extension()
    transport = SharedTransport(extension, server.send)
    transport.on_free = server.free
    extension.has_room = False

    assert transport.write(say("a"))
    extension.on_drained()

    assert server.freed == 1


@pytest.mark.parametrize("is_read", [True, False])
async def test_close_waits_for_a_reader_but_not_long(server, monkeypatch, is_read):
    monkeypatch.setattr("realtime.transports.CLOSE_TIMEOUT_S", 0.05)
    extension = Extension()
    extension.has_room = False
    transport = SharedTransport(extension, server.send)

    closing = asyncio.create_task(transport.close(4503, last="bye"))
    await asyncio.sleep(0)
    if is_read:
        extension.on_drained()
    await closing
    transport.write(say("late"))

    assert extension.wires == [b"\x81\x03bye"]
    assert server.events == [4503]


async def test_discarded_transport_hears_no_more_of_its_server(server):
    extension = Extension()
    transport = SharedTransport(extension, server.send)

    transport.discard()

    assert extension.on_drained is None
    assert not transport.write(say("a"))
    assert extension.wires == []


async def test_plain_server_gets_plain_sends(server):
    assert isinstance(make_transport({}, server.send), AsgiTransport)
