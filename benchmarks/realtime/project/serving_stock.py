"""Channels as its tutorial has it; the layer is named by the environment."""

from __future__ import annotations

import json
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from benchmarks.realtime.project.queries import work
from benchmarks.realtime.servers.common import Order, Publish, make_message


class ChatConsumer(AsyncWebsocketConsumer):
    """The consumer of the tutorial's third part."""

    async def connect(self) -> None:
        self.room_name = self.scope["url_route"]["kwargs"]["room_name"]
        self.room_group_name = f"chat_{self.room_name}"
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)
        await self.accept()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Work in the database for so many milliseconds, as the documentation says it is done."""
        await database_sync_to_async(work)(int(text_data or 0))
        await self.send(text_data="{}")

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event["message"]))


# The stubs know views only.
routes: Any = [re_path(r"ws/chat/(?P<room_name>\w+)/$", ChatConsumer.as_asgi())]  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {"websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes)))}
)


def make_publish(count: int) -> Publish:
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("There is no channel layer.")

    async def publish(order: Order) -> None:
        for number in order.numbers():
            event = {"type": "chat.message", "message": make_message(order, number)}
            await layer.group_send(f"chat_{order.room}", event)

    return publish
