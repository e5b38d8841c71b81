"""Where connections come in."""

from __future__ import annotations

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path

from realtime.consumers import RoomConsumer
from realtime.keys import KeyMiddleware
from realtime.sse import events_application

# The stubs know views only.
websocket_urlpatterns: list[Any] = [path("ws/", RoomConsumer.as_asgi())]  # type: ignore[arg-type]


def realtime_application() -> Any:
    """Return what `ProtocolTypeRouter` needs under "websocket": keys, or sessions and users, then the consumer, which checks the origin itself.

    Any other path is refused at the handshake.
    """
    return KeyMiddleware(
        URLRouter([*websocket_urlpatterns, re_path(r"", cast(Any, _refuse))])
    )


def with_events(pages: Any) -> Any:
    """Return what `ProtocolTypeRouter` needs under "http": `/events/` for those who have no socket, everything else to `pages`."""
    return URLRouter(
        [
            path("events/", cast(Any, KeyMiddleware(events_application))),
            re_path(r"", pages),
        ]
    )


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4403})
