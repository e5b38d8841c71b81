from __future__ import annotations

import asyncio
from typing import Any

import pytest

from realtime.transports import MAX_BACKLOG_BYTES, Transport


class Server:
    """An ASGI server's side: `writable` is its buffer having room."""

    def __init__(self) -> None:
        self.events: list[str | int | None] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.steps_per_send = 0
        self.overflows = 0

    async def send(self, event: dict[str, Any]) -> None:
        await self.writable.wait()
        for _ in range(self.steps_per_send):
            await asyncio.sleep(0)
        self.events.append(event.get("text", event.get("code")))

    def make_transport(self) -> Transport:
        return Transport(self.send, on_overflow=self.overflow)

    def overflow(self) -> None:
        self.overflows += 1


@pytest.fixture
def server():
    return Server()


async def settle(transport: Transport) -> None:
    while transport._task is not None:
        await transport._task


async def test_write_that_does_not_suspend_is_done_at_once_and_costs_no_task(server):
    transport = server.make_transport()
    tasks = len(asyncio.all_tasks())

    transport.write("a")
    transport.write("b")

    assert server.events == ["a", "b"]
    assert len(asyncio.all_tasks()) == tasks


@pytest.mark.parametrize("steps", [0, 1, 3])
async def test_order_is_kept_when_sends_suspend(server, steps):
    server.steps_per_send = steps
    server.writable.clear()
    transport = server.make_transport()

    for number in range(50):
        transport.write(str(number))
    assert server.events == []
    server.writable.set()
    await settle(transport)
    transport.write("last")
    await settle(transport)

    assert server.events == [str(number) for number in range(50)] + ["last"]


async def test_stalled_reader_keeps_a_bounded_backlog_and_overflows_once(server):
    server.writable.clear()
    transport = server.make_transport()

    for _ in range(1_000):
        transport.write("x" * 1_024)
        assert sum(map(len, transport._backlog)) <= MAX_BACKLOG_BYTES

    assert server.overflows == 1
    assert not transport._backlog
    transport.discard()


async def test_backlog_counts_bytes_and_not_characters(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write("first")

    for _ in range(3):
        transport.write("ä" * (MAX_BACKLOG_BYTES // 4))

    assert server.overflows == 1
    transport.discard()


async def test_drained_backlog_makes_room(server):
    transport = server.make_transport()
    for _ in range(5):
        server.writable.clear()
        for _ in range(4):
            transport.write("x" * (MAX_BACKLOG_BYTES // 4))
        server.writable.set()
        await settle(transport)

    assert server.overflows == 0
    assert len(server.events) == 20


async def test_close_sends_what_waits_then_the_last_frame_and_the_code(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write("a")
    transport.write("b")
    closing = asyncio.create_task(transport.close(4400, last="bye"))
    await asyncio.sleep(0)
    server.writable.set()
    await closing
    transport.write("late")

    assert server.events == ["a", "b", "bye", 4400]


async def test_close_of_a_reader_that_stalls_ends(server, monkeypatch):
    monkeypatch.setattr("realtime.transports.CLOSE_TIMEOUT_S", 0.01)
    server.writable.clear()
    transport = server.make_transport()
    transport.write("a")

    await transport.close(4408, last="bye")

    assert server.events == []
    assert transport._task is None


async def test_connection_that_is_gone_raises_nothing():
    calls = 0

    async def send(event):
        nonlocal calls
        calls += 1
        raise OSError("closed")

    transport = Transport(send, on_overflow=lambda: None)

    transport.write("a")
    transport.write("b")
    await transport.close(1000, last="bye")

    assert calls == 2


async def test_connection_that_goes_while_a_send_waits_raises_nothing(server):
    async def send(event):
        await server.writable.wait()
        raise OSError("closed")

    server.writable.clear()
    transport = Transport(send, on_overflow=server.overflow)
    transport.write("a")
    transport.write("b")
    server.writable.set()
    await settle(transport)

    transport.write("c")
    assert transport._task is None


async def test_discard_cancels_the_send_that_waits(server):
    server.writable.clear()
    transport = server.make_transport()
    transport.write("a")
    task = transport._task

    transport.discard()
    await asyncio.wait([task])

    assert task.cancelled()
