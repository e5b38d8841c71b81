from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from realtime.history import Position
from realtime.hub import get_hub
from realtime.limits import seats
from realtime.publishing import publish
from realtime.sse import events_application, parse_positions
from tests.realtime.lab import BenchRoom, LabDone, LabProgress, LabRoom, make_visitor


class Stream:
    """A browser's EventSource, or curl."""

    def __init__(
        self,
        query: str,
        *,
        user: Any = None,
        method: str = "GET",
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/events/",
            "query_string": query.encode(),
            "headers": headers,
            "user": user or make_visitor(),
        }
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self._gone = asyncio.Event()
        self._buffer = b""

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(
            events_application(self.scope, self._receive, self._send)
        )
        start = await asyncio.wait_for(self._sent.get(), 5)
        self.status, self.headers = start["status"], dict(start["headers"])
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.leave()
        await self.until_ended()

    def leave(self) -> None:
        self._gone.set()

    async def until_ended(self) -> None:
        await asyncio.wait_for(self._task, 5)

    async def _send(self, event: dict[str, Any]) -> None:
        await self.reads.wait()
        await self._sent.put(event)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def event(self) -> tuple[str, dict[str, Any]]:
        """Return the next event's id and frame."""
        while b"\n\n" not in self._buffer:
            self._buffer += (await asyncio.wait_for(self._sent.get(), 5))["body"]
        text, _, self._buffer = self._buffer.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in text.decode().split("\n"))
        return fields.get("id", ""), json.loads(fields["data"])

    async def until(self, kind: str) -> tuple[str, dict[str, Any]]:
        while True:
            found, frame = await self.event()
            if frame["type"] == kind:
                return found, frame

    async def refusal(self) -> str:
        body: bytes = (await asyncio.wait_for(self._sent.get(), 5))["body"]
        return body.decode()


async def test_rooms_come_as_events_with_positions_as_ids(layer):
    async with Stream("room=lab&room=bench:a") as stream:
        assert (stream.status, stream.headers[b"content-type"]) == (
            200,
            b"text/event-stream; charset=utf-8",
        )
        _, connected = await stream.event()
        _, lab = await stream.event()
        _, bench = await stream.event()
        publish(LabRoom(), LabDone(lab_id=1))
        found, done = await stream.event()

    assert connected["type"] == "connected"
    assert [lab["data"]["room"], bench["data"]["room"]] == ["lab", "bench:a"]
    assert (done["data"], done["seq"], done["prev"]) == ({"lab_id": 1}, 1, 0)
    assert found == f"lab={lab['data']['epoch']}:1,bench:a={bench['data']['epoch']}:0"


@pytest.mark.parametrize("way", ["header", "query"])
async def test_reader_that_comes_back_gets_what_it_missed(layer, way):
    async with Stream("room=lab") as stream:
        await stream.until("joined")
        publish(LabRoom(), LabDone(lab_id=1))
        last, _ = await stream.until("lab_done")
        async with Stream("room=lab") as other:
            await other.until("joined")
            publish(LabRoom(), LabDone(lab_id=2))
            publish(LabRoom(), LabDone(lab_id=3))
            while (await other.until("lab_done"))[1]["data"]["lab_id"] != 3:
                pass

    query = "room=lab" if way == "header" else f"room=lab&since={last}"
    headers = ((b"last-event-id", last.encode()),) if way == "header" else ()
    async with Stream(query, headers=headers) as stream:
        _, joined = await stream.until("joined")
        missed = [(await stream.until("lab_done"))[1]["data"]["lab_id"] for _ in "ab"]

    assert joined["data"]["recovered"] is True
    assert missed == [2, 3]


async def test_reader_without_a_position_gets_a_snapshot(layer):
    async with Stream("room=lab") as first:
        await first.until("joined")
        publish(LabRoom(), LabProgress(lab_id=1, percent=5, eta_seconds=None))
        await first.until("lab_progress")

        async with Stream("room=lab") as second:
            _, joined = await second.until("joined")

    assert [frame["data"]["percent"] for frame in joined["data"]["snapshot"]] == [5]


async def test_room_of_others_is_an_error_and_the_rest_goes_on(layer):
    async with Stream("room=vault&room=lab") as stream:
        _, error = await stream.until("error")
        _, joined = await stream.until("joined")

    assert (error["room"], error["data"]["code"]) == ("vault", "unknown_room")
    assert joined["data"]["room"] == "lab"


@pytest.mark.parametrize(
    ("query", "options", "status"),
    [
        ("", {}, 400),
        ("&".join(f"room=bench:{number}" for number in range(33)), {}, 400),
        ("room=lab", {"method": "POST"}, 405),
        ("room=lab", {"user": make_visitor(is_active=False)}, 401),
        ("room=" + "x" * 9_000, {}, 414),
    ],
)
async def test_refusals_are_sentences(layer, query, options, status):
    async with Stream(query, **options) as stream:
        assert stream.status == status
        assert len(await stream.refusal()) > 5


async def test_reader_that_left_leaves_nothing(layer):
    user = make_visitor()
    async with Stream("room=lab", user=user) as stream:
        await stream.until("joined")
        assert get_hub().streams["lab"].links

    assert not get_hub().guests
    assert "lab" not in get_hub().streams
    assert len(seats) == 0


@pytest.mark.parametrize("leaves", [True, False])
async def test_reader_that_stalls_is_given_up_and_keeps_its_seat_until_it_goes(
    layer, monkeypatch, leaves
):
    """Else it could come back for more and more of what the server keeps for each."""
    monkeypatch.setattr("realtime.transports.CLOSE_TIMEOUT_S", 0.05)
    async with Stream("room=lab") as stream:
        await stream.until("joined")
        stream.reads.clear()
        for number in range(5_000):
            publish(LabRoom(), LabDone(lab_id=number))
        async with asyncio.timeout(5):
            while get_hub().guests:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(seats) == 1

        if leaves:
            stream.leave()
        else:
            stream.reads.set()
        await stream.until_ended()
        assert len(seats) == 0


async def test_drain_says_bye_and_ends_the_response(layer):
    async with Stream("room=lab") as stream:
        await stream.until("joined")

        await get_hub().drain(timeout_s=1)
        _, bye = await stream.until("bye")
        await stream.until_ended()

    assert (bye["data"]["code"], bye["data"]["reconnect"]) == (4503, True)
    assert 0 <= bye["data"]["after_ms"] <= 5_000


async def test_bad_bytes_in_the_query_are_a_room_that_does_not_exist(layer):
    async with Stream("room=%ff%fe&since=%00,=,a=b:c,lab=x:-1") as stream:
        _, error = await stream.until("error")

    assert error["data"]["code"] == "unknown_room"


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("lab=ab:3", {"lab": Position("ab", 3)}),
        (
            "lab=ab:3, series:a=cd:0",
            {"lab": Position("ab", 3), "series:a": Position("cd", 0)},
        ),
        ("", {}),
        ("lab", {}),
        ("lab=ab", {}),
        ("lab=ab:x", {}),
        ("lab=ab:-1", {}),
        ("lab=ab:\u0663", {}),
        (f"lab={'e' * 41}:1", {}),
        ("lab=ab:9999999999999999", {}),
        ("=ab:1", {}),
    ],
)
def test_positions_that_cannot_be_read_are_left_out(text, positions):
    assert parse_positions(text) == positions


async def test_bench_room_by_itself(layer):
    async with Stream("room=bench:a") as stream:
        await stream.until("joined")
        publish(BenchRoom(key="a"), LabDone(lab_id=7))

        assert (await stream.until("lab_done"))[1]["room"] == "bench:a"
