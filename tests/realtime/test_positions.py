from __future__ import annotations

import asyncio
from contextlib import closing
from time import monotonic

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from redis import Redis

from realtime import positions
from realtime.history import (
    Position,
    RoomMessages,
    SenderHistory,
    get_positions_of,
)
from realtime.middleware import PositionsMiddleware
from realtime.positions import get_positions
from realtime.publishing import flush, publish
from realtime.testing import connect
from tests.realtime.lab import LabDone, LabRoom, make_application, make_visitor

BEGAN = "realtime_began"


@pytest.fixture(autouse=True)
def _asks_at_once(monkeypatch):
    monkeypatch.setattr(positions, "_asks_again_at", 0.0)


@pytest.fixture
def hold_up(broker, monkeypatch):
    """Return a function that has the broker answer later than the first margin, and before it is given up."""
    monkeypatch.setattr(positions, "TIMEOUT_S", 5.0)
    with closing(Redis.from_url(broker.url)) as client:
        yield lambda: client.client_pause(int(20_000 * positions.MARGINS_S[0]))


def begin() -> HttpRequest:
    request = HttpRequest()
    PositionsMiddleware(lambda _request: HttpResponse())(request)
    return request


def say(count: int) -> None:
    for number in range(count):
        publish(LabRoom(), LabDone(lab_id=number))
    assert flush(timeout_s=5)


def render(request: HttpRequest | None) -> str:
    template = Template('{% load realtime %}<p {% live_rooms "lab" "bench:a" %}>')
    return template.render(Context({"request": request}))


def test_page_names_rooms_and_positions(sync_layer):
    html = render(begin())

    lab, bench = get_positions_of(["lab", "bench:a"], back_ms=0, timeout_s=1)
    assert html == (
        '<p data-live-rooms="lab bench:a" '
        f'data-live-positions="lab={lab.epoch}:0 bench:a={bench.epoch}:0">'
    )


def test_position_is_that_of_the_beginning_of_the_request(sync_layer):
    say(3)
    request = begin()
    setattr(request, BEGAN, monotonic() + positions.MARGINS_S[0] - 0.001)
    before = get_positions(request, ["lab"])["lab"]

    request = begin()
    say(70)
    after = get_positions(request, ["lab"])["lab"]

    assert before.seq in range(4)
    assert after.seq <= 3
    assert after.epoch == before.epoch


def test_position_from_a_slow_broker_is_no_later(sync_layer, hold_up):
    request = begin()
    say(1)
    hold_up()

    assert get_positions(request, ["lab"])["lab"].seq == 0


def test_page_has_no_position_where_it_would_be_too_late(
    sync_layer, hold_up, monkeypatch
):
    monkeypatch.setattr(positions, "MARGINS_S", positions.MARGINS_S[:1])
    request = begin()
    say(1)
    hold_up()

    assert get_positions(request, ["lab"]) == {}


def test_position_of_now_counts_what_was_published_in_this_millisecond(sync_layer):
    history = SenderHistory(timeout_s=5)
    found = []
    for number in range(100):
        message = ("e", f'{{"type":"lab_done","data":{{"lab_id":{number}}}')
        history.publish({LabRoom().group: [RoomMessages("lab", [message])]})
        found += get_positions_of(["lab"], back_ms=0, timeout_s=1)
    history.close()

    assert [position.seq for position in found] == list(range(1, 101))


def test_quiet_room_is_where_it_is(sync_layer):
    say(5)
    request = begin()
    setattr(request, BEGAN, monotonic() + 1)

    assert get_positions(request, ["lab"])["lab"].seq == 5


def test_page_asks_once_for_each_room(sync_layer, monkeypatch):
    asked = []

    def ask(rooms, **_kwargs):
        asked.append(list(rooms))
        return [Position("e", 1) for _ in rooms]

    monkeypatch.setattr(positions, "get_positions_of", ask)
    monkeypatch.setattr(positions, "MARGINS_S", (10.0,))
    request = begin()

    for _ in range(3):
        get_positions(request, ["lab", "bench:a"])
    get_positions(request, ["bench:a", "bench:b"])

    assert asked == [["lab", "bench:a"], ["bench:b"]]


def test_broker_that_is_away_costs_a_page_its_positions_and_little_time(
    settings, monkeypatch
):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["unix:///nowhere"]},
        }
    }

    assert render(begin()) == '<p data-live-rooms="lab bench:a" data-live-positions="">'
    monkeypatch.setattr(
        positions, "get_positions_of", lambda *_args, **_kwargs: pytest.fail("asked")
    )
    assert render(begin()) == '<p data-live-rooms="lab bench:a" data-live-positions="">'


def test_page_without_a_request_looks_back_far_enough(sync_layer):
    say(2)

    assert ":0 " in render(None)


async def test_nothing_is_lost_between_render_and_join(connection):
    request = begin()
    publish(LabRoom(), LabDone(lab_id=1))
    assert await asyncio.to_thread(flush, timeout_s=5)
    position = (await asyncio.to_thread(get_positions, request, ["lab"]))["lab"]
    publish(LabRoom(), LabDone(lab_id=2))
    assert await asyncio.to_thread(flush, timeout_s=5)

    async with await connect(make_application(make_visitor())) as visitor:
        joined = await visitor.join("lab", since=position)
        await visitor.expect("lab_done", lab_id=2)

    heard = [f["data"]["lab_id"] for f in visitor.frames if f["type"] == "lab_done"]
    assert joined["data"]["recovered"] is True
    assert heard == [1, 2]
