"""Which pages may open a connection: cookies are sent along from any page, so the server has to look.

Source: RFC 6454, 6.2 (what browsers send); RFC 6455, 10.2.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from realtime.conf import get_settings

logger = logging.getLogger(__name__)

_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


def is_allowed_origin(scope: Mapping[str, Any]) -> bool:
    """Return whether scheme, host and port are exactly the site's own or listed in `REALTIME["ALLOWED_ORIGINS"]`.

    No origin at all is allowed: browsers always send one, and a program that holds a session's cookie needs no page to misuse it.
    """
    origins = _get_headers(scope, b"origin")
    if not origins:
        return True
    origin, own = (
        parse_origin(origins[0]) if len(origins) == 1 else None,
        _get_own_origin(scope),
    )
    if origin is not None and origin in {
        own,
        *map(parse_origin, get_settings().allowed_origins),
    }:
        return True
    logger.warning(
        "A page of %.200r may not connect here: it is neither %r nor in REALTIME['ALLOWED_ORIGINS']",
        origins,
        own,
    )
    return False


def parse_origin(text: str) -> Origin | None:
    """Return scheme, host and port of an `Origin` header; None where it is none."""
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme, host, int(port) if port else _DEFAULT_PORTS[scheme]


def _get_own_origin(scope: Mapping[str, Any]) -> Origin | None:
    hosts = (
        _get_headers(scope, b"x-forwarded-host")
        if settings.USE_X_FORWARDED_HOST
        else []
    )
    hosts = hosts or _get_headers(scope, b"host")
    if len(hosts) != 1:
        return None
    allowed_hosts = settings.ALLOWED_HOSTS or (
        [".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else []
    )
    # A name that an attacker points at this machine is the same origin as itself; only the list of hosts tells it apart.
    if not validate_host(split_domain_port(hosts[0])[0], allowed_hosts):
        return None
    return parse_origin(f"{'https' if _is_secure(scope) else 'http'}://{hosts[0]}")


def _is_secure(scope: Mapping[str, Any]) -> bool:
    if settings.SECURE_PROXY_SSL_HEADER:
        name, secure_value = settings.SECURE_PROXY_SSL_HEADER
        values = _get_headers(
            scope, name.removeprefix("HTTP_").replace("_", "-").lower().encode()
        )
        if values:
            return values[0].split(",")[0].strip() == secure_value
    return scope.get("scheme") == "wss"


def _get_headers(scope: Mapping[str, Any], name: bytes) -> list[str]:
    return [
        value.decode("latin-1")
        for key, value in scope.get("headers", ())
        if key == name
    ]
