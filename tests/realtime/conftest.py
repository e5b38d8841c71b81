from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import channel_layers

from realtime import publishing
from realtime.hub import get_hub
from realtime.testing import connect
from tests.realtime.lab import make_application, make_visitor
from tests.realtime.staff import make_staff
from tests.servers import Valkey


@pytest.fixture(scope="session")
def broker():
    """A Valkey of these tests' own, since they kill it."""
    server = Valkey().start()
    yield server
    server.remove()


def configure_layer(
    settings: Any, broker: Valkey, *, prefix: str | None = None
) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": broker.url,
                        "socket_timeout": None,
                    }
                ],
                "prefix": prefix or uuid4().hex,
            },
        }
    }


@pytest.fixture
async def layer(broker, settings):
    """A channel layer of one's own; afterwards nothing of it is left in this loop."""
    configure_layer(settings, broker)
    yield channel_layers["default"]
    await asyncio.to_thread(publishing.stop)
    await get_hub().aclose()
    await channel_layers["default"].flush()


@pytest.fixture
def sync_layer(broker, settings):
    """The same for tests without an event loop."""
    configure_layer(settings, broker)
    yield channel_layers["default"]
    publishing.stop()


@pytest.fixture
async def connection(layer):
    """One visitor's open connection."""
    async with await connect(make_application(make_visitor())) as opened:
        yield opened


@pytest.fixture
def admin(client):
    """A superuser, whom the client is logged in as."""
    user = make_staff(is_superuser=True)
    client.force_login(user)
    return user
