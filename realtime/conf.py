"""The `REALTIME` setting, read and checked whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class RealtimeSettings:
    """Every value with its default; the keys of `REALTIME` are these names in capitals."""

    allowed_origins: Sequence[str] = ()
    """Full origins ("https://media.example.org:8443") that may connect beside the site's own."""
    heartbeat_s: float = 25
    """Between two pings of the server."""
    pong_timeout_s: float = 10
    """Of silence after a ping, then the connection is closed; below `heartbeat_s`."""
    max_frame_bytes: int = 16 * 1024
    """Of one inbound frame."""
    max_rooms: int = 32
    """Per connection."""
    frames_per_s: float = 20
    """Inbound, per user or address."""
    frames_burst: int = 40
    """That may come at once, before `frames_per_s` counts."""
    max_connections_per_user: int = 20
    """Per process."""
    reauthorize_s: float = 300
    """Between two looks at a connection's session and rooms."""


DEFAULTS = {field.name.upper(): field.default for field in fields(RealtimeSettings)}


def get_settings() -> RealtimeSettings:
    """Return the settings in force.

    Raises:
        ImproperlyConfigured: `REALTIME` has an unknown key or a value of the wrong kind.
    """
    given: dict[str, Any] = getattr(settings, "REALTIME", {})
    if unknown := sorted(set(given) - set(DEFAULTS)):
        raise ImproperlyConfigured(
            f"REALTIME has no key {', '.join(unknown)}; allowed are {', '.join(DEFAULTS)}."
        )
    for key, value in given.items():
        _check(key, value)
    found = RealtimeSettings(**{key.lower(): value for key, value in given.items()})
    if found.pong_timeout_s >= found.heartbeat_s:
        raise ImproperlyConfigured(
            f"REALTIME['PONG_TIMEOUT_S'] must be below HEARTBEAT_S ({found.heartbeat_s}), got {found.pong_timeout_s}."
        )
    return found


def _check(key: str, value: Any) -> None:
    if key == "ALLOWED_ORIGINS":
        if (
            isinstance(value, str)
            or not isinstance(value, Sequence)
            or not all(isinstance(item, str) for item in value)
        ):
            raise ImproperlyConfigured(
                f"REALTIME['ALLOWED_ORIGINS'] must be a list of origins, got {value!r}."
            )
        return
    is_count = key.startswith("MAX_") or key == "FRAMES_BURST"
    if (
        isinstance(value, bool)
        or not isinstance(value, (int,) if is_count else (int, float))
        or value <= 0
    ):
        raise ImproperlyConfigured(
            f"REALTIME[{key!r}] must be a {'whole ' if is_count else ''}number above 0, got {value!r}."
        )
