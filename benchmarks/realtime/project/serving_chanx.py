"""chanx, a framework on top of Channels: a typed event that is passed on to a group."""

from __future__ import annotations

from typing import Any, Literal

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from chanx.channels.websocket import (  # type: ignore[import-not-found]  # Only in the comparison's environment.
    AsyncJsonWebsocketConsumer,
)
from chanx.messages.base import (  # type: ignore[import-not-found]  # As above.
    BaseMessage,
)
from django.urls import path

from benchmarks.realtime.servers.common import Order, Publish, make_message


class BenchMessage(BaseMessage):  # type: ignore[misc]  # As above.
    action: Literal["bench_event"] = "bench_event"
    payload: dict[str, Any]


class BenchConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # As above.
    groups = ["bench"]
    passthrough_events = [BenchMessage]


routes: Any = [path("ws/", BenchConsumer.as_asgi())]
application = ProtocolTypeRouter(
    {"websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes)))}
)


def make_publish(count: int) -> Publish:
    async def publish(order: Order) -> None:
        for number in order.numbers():
            payload = make_message(order, number)
            # Its own name for the type is `action`.
            del payload["type"]
            message = BenchMessage(payload=payload)
            await BenchConsumer.broadcast_event(message, ["bench"])

    return publish
