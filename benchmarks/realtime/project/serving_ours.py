"""Our rooms with the full protocol."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter

from benchmarks.realtime.project.messages import LANES, BenchEvent, BenchState
from benchmarks.realtime.project.rooms import BenchRoom, NumberedRoom
from benchmarks.realtime.servers.common import EVENT, Order, Publish, make_pad
from realtime.publishing import publish as publish_message
from realtime.rooms import Room
from realtime.routing import realtime_application

application = ProtocolTypeRouter({"websocket": realtime_application()})


def make_publish(count: int) -> Publish:
    rooms: list[Room] = [BenchRoom()]
    if count > 1:
        rooms = [NumberedRoom(number=str(number)) for number in range(count)]

    async def publish(order: Order) -> None:
        pad = make_pad(order.kind, order.due_ns, order.first)
        room = rooms[order.room]
        for number in order.numbers():
            if order.kind == EVENT:
                message = BenchEvent(t=order.due_ns, n=number, pad=pad)
                publish_message(room, message)
            else:
                lane = number % LANES
                state = BenchState(t=order.due_ns, m=number, bench_id=lane, pad=pad)
                publish_message(room, state)

    return publish
