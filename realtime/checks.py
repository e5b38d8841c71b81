"""System checks: what loses messages or refuses every browser is found before anybody misses one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels_redis.pubsub import RedisPubSubChannelLayer  # type: ignore[import-untyped]
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's own name
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from django.utils.module_loading import import_string
from redis.connection import AbstractConnection

from realtime.conf import get_settings
from realtime.origins import parse_origin

PUBSUB = "Use channels_redis.pubsub.RedisPubSubChannelLayer."
MIDDLEWARE = "realtime.middleware.PositionsMiddleware"
KNOWN_BACKENDS = {
    "channels_redis.core.RedisChannelLayer": "drops messages silently over its capacity, which all connections share",
    "channels.layers.InMemoryChannelLayer": "reaches only its own process and thread",
}

AppConfigs = Sequence[AppConfig] | None


@register
def check_settings(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a `REALTIME` setting that cannot be read."""
    try:
        get_settings()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="realtime.E001")]
    return []


@register
def check_channel_layer(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a channel layer that no history can be kept beside, or that the history could not read."""
    layer = getattr(settings, "CHANNEL_LAYERS", {}).get("default", {})
    backend = layer.get("BACKEND", "")
    if not backend:
        message = "CHANNEL_LAYERS has no 'default', so no message can reach a browser."
        return [Error(message, hint=PUBSUB, id="realtime.E002")]
    if not _is_pubsub(backend):
        why = KNOWN_BACKENDS.get(backend, "keeps no place where history could be")
        message = f"{backend} {why}, so nothing can be published."
        return [Error(message, hint=PUBSUB, id="realtime.E003")]
    return list(_check_config(layer.get("CONFIG", {})))


def _is_pubsub(backend: str) -> bool:
    try:
        found = import_string(backend)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, RedisPubSubChannelLayer)


def _check_config(config: Mapping[str, Any]) -> Iterator[CheckMessage]:
    where = "CHANNEL_LAYERS['default']['CONFIG']"
    if config.get("serializer_format", "msgpack") != "msgpack":
        yield Error(
            f"{where} must leave serializer_format at msgpack, which the publish script at the broker writes.",
            id="realtime.E004",
        )
    if config.get("symmetric_encryption_keys"):
        yield Error(
            f"{where} may not have symmetric_encryption_keys: the publish script at the broker has no key.",
            hint="Reach the broker over TLS (rediss://) or a Unix socket.",
            id="realtime.E005",
        )
    hosts = config.get("hosts") or [None]
    if isinstance(hosts, (str, bytes)) or len(hosts) != 1:
        yield Error(
            f"{where} must name exactly one host: a room's history is in one place.",
            id="realtime.E006",
        )
    elif _has_unsafe_timeout(hosts[0]):
        yield Warning(
            "This redis-py ends connections that are quiet for some seconds, unless told otherwise.",
            hint=f'Add "socket_timeout": None to the host in {where}.',
            id="realtime.W001",
        )


def _has_unsafe_timeout(host: Any) -> bool:
    """Return whether the host leaves the timeout to redis-py, and that has one (since 8.0)."""
    parameters = inspect.signature(AbstractConnection.__init__).parameters
    if parameters["socket_timeout"].default is None:
        return False
    if not isinstance(host, Mapping):
        host = {"address": host}
    address = host.get("address")
    query = urlsplit(address).query if isinstance(address, str) else ""
    return "socket_timeout" not in host and "socket_timeout" not in parse_qs(query)


@register
def check_origins(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """Warn where pages that the project knows of could not connect."""
    try:
        allowed = get_settings().allowed_origins
    except ImproperlyConfigured:
        return []
    found: list[CheckMessage] = [
        Warning(
            f"REALTIME['ALLOWED_ORIGINS'] holds {origin!r}, which no page can come from.",
            hint='Write it like "https://media.example.org:8443", without a path or a star.',
            id="realtime.W002",
        )
        for origin in allowed
        if parse_origin(origin) is None
    ]
    known = set(map(parse_origin, allowed))
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        if "*" not in origin and parse_origin(origin) not in known | {None}:
            found += _check_trusted(origin)
    if not settings.DEBUG and not settings.ALLOWED_HOSTS:
        found.append(
            Warning(
                "ALLOWED_HOSTS is empty and DEBUG is off, so every page is refused, and every connection of one.",
                id="realtime.W004",
            )
        )
    return found


def _check_trusted(origin: str) -> list[CheckMessage]:
    """Warn of an origin whose forms are taken, and whose connections would not be: the server cannot see that it is its own."""
    scheme, host, _ = parse_origin(origin) or ("", "", 0)
    sees_https = scheme == "http" or settings.SECURE_PROXY_SSL_HEADER
    if sees_https and validate_host(host, settings.ALLOWED_HOSTS):
        return []
    return [
        Warning(
            f"CSRF_TRUSTED_ORIGINS names {origin!r}, and behind a proxy that ends TLS its pages could not connect.",
            hint="Name it in REALTIME['ALLOWED_ORIGINS'] too, or set SECURE_PROXY_SSL_HEADER and ALLOWED_HOSTS for the proxy.",
            id="realtime.W003",
        )
    ]


@register
def check_middleware(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """Warn where pages are made without noting when."""
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Warning(
            f"MIDDLEWARE has no {MIDDLEWARE}, so pages name rooms' positions of ten seconds ago, and much is told twice.",
            hint="Put it first.",
            id="realtime.W005",
        )
    ]
