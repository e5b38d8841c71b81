"""System checks: a channel layer that loses messages is found before anybody misses one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's own name
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import get_settings


@register
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a `REALTIME` setting that cannot be read."""
    try:
        get_settings()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="realtime.E001")]
    return []


@register
def check_channel_layer(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a missing channel layer and warn of those that drop messages."""
    backend = (
        getattr(settings, "CHANNEL_LAYERS", {}).get("default", {}).get("BACKEND", "")
    )
    pubsub = "Use channels_redis.pubsub.RedisPubSubChannelLayer."
    if not backend:
        return [
            Error(
                "CHANNEL_LAYERS has no 'default', so no message can reach a browser.",
                hint=pubsub,
                id="realtime.E002",
            )
        ]
    if backend == "channels_redis.core.RedisChannelLayer":
        return [
            Warning(
                "RedisChannelLayer drops messages silently over its capacity, which all connections share.",
                hint=pubsub,
                id="realtime.W001",
            )
        ]
    if backend == "channels.layers.InMemoryChannelLayer":
        return [
            Warning(
                "InMemoryChannelLayer reaches only its own process and thread: messages are lost.",
                hint=pubsub,
                id="realtime.W002",
            )
        ]
    return []
