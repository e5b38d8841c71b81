"""Where a server comes in: pages by Django, sockets by the realtime layer."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aniworld_site.settings")
# It loads the applications, which the consumer's module needs.
pages = get_asgi_application()

from realtime.routing import realtime_application, with_events  # noqa: E402

application = ProtocolTypeRouter(
    {"http": with_events(pages), "websocket": realtime_application()}
)
