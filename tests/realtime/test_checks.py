from __future__ import annotations

import pytest

from realtime.checks import check_channel_layer, check_settings


@pytest.mark.parametrize(
    ("backend", "ids"),
    [
        ("channels_redis.pubsub.RedisPubSubChannelLayer", []),
        ("channels_redis.core.RedisChannelLayer", ["realtime.W001"]),
        ("channels.layers.InMemoryChannelLayer", ["realtime.W002"]),
        ("", ["realtime.E002"]),
    ],
)
def test_layers_that_lose_messages_are_reported(settings, backend, ids):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}} if backend else {}

    assert [message.id for message in check_channel_layer(None)] == ids


def test_wrong_settings_are_reported(settings):
    settings.REALTIME = {"X": 1}
    assert [message.id for message in check_settings(None)] == ["realtime.E001"]

    settings.REALTIME = {}
    assert check_settings(None) == []
