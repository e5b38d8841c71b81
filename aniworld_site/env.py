"""Readers that turn the environment into settings and fail loudly, by the variable's name.

Each `ANIWORLD_X` may also be given as `ANIWORLD_X_FILE`, the path of a file that holds the value.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def env_str(name: str, default: str = "") -> str:
    value, path = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if value and path:
        raise ImproperlyConfigured(
            f"{name} and {name}_FILE are both set: keep one of them."
        )
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names {path!r}, which cannot be read: {error}."
            ) from error
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE names {path!r}, which is empty.")
    return value or default


def env_bool(name: str, *, default: bool) -> bool:
    value = env_str(name).lower()
    if not value:
        return default
    if value not in TRUE_WORDS | FALSE_WORDS:
        allowed = ", ".join(sorted(TRUE_WORDS | FALSE_WORDS))
        raise ImproperlyConfigured(f"{name} must be one of {allowed}, not {value!r}.")
    return value in TRUE_WORDS


def env_int(name: str, default: int, *, low: int, high: int) -> int:
    value = env_str(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {low} to {high}, not {value!r}."
        ) from None
    if not low <= number <= high:
        raise ImproperlyConfigured(
            f"{name} must be from {low} to {high}, not {number}."
        )
    return number


def env_list(name: str, default: list[str]) -> list[str]:
    value = env_str(name)
    return (
        [item.strip() for item in value.split(",") if item.strip()]
        if value
        else default
    )


def env_choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    value = env_str(name, default)
    if value not in choices:
        raise ImproperlyConfigured(
            f"{name} must be one of {', '.join(choices)}, not {value!r}."
        )
    return value


def env_origins(name: str) -> list[str]:
    """Return full origins like `https://media.example.org`, the only form that a browser's can be compared with."""
    origins = env_list(name, [])
    for origin in origins:
        if not _is_origin(origin):
            raise ImproperlyConfigured(
                f"{name} must hold full origins like https://media.example.org, not {origin!r}."
            )
    return origins


def env_time_zone(name: str, default: str) -> str:
    value = env_str(name, default)
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ImproperlyConfigured(
            f"{name} must be a time zone like Europe/Berlin, not {value!r}."
        ) from error
    return value


def env_url_path(name: str) -> str:
    """Return a path without slashes at its ends, of characters that need no quoting in a URL."""
    value = env_str(name).strip("/")
    if not re.fullmatch(r"[\w.~/-]*", value, flags=re.ASCII) or "//" in value:
        raise ImproperlyConfigured(
            f"{name} must be a path of letters, digits, dots and dashes like aniworld, not {value!r}."
        )
    return value


def env_broker(name: str) -> str:
    value = env_str(name)
    if value and not _is_broker(value):
        # The value is not repeated, since it may hold a password.
        raise ImproperlyConfigured(
            f"{name} must look like redis://host:6379/0, rediss://host:6379/0 or unix:///run/valkey.sock."
        )
    return value


def env_path(name: str, default: Path) -> Path:
    value = env_str(name)
    path = Path(value).expanduser() if value else default
    if path.exists() and not path.is_dir():
        raise ImproperlyConfigured(
            f"{name} must be a folder, but {str(path)!r} is a file."
        )
    return path.absolute()


def env_secret(name: str, path: Path) -> str:
    """Return the variable's value, or the one kept at `path`, which is made (mode 0600) at first use."""
    value = env_str(name)
    if value:
        return value
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: of two processes that start together one writes, the other reads what that one wrote.
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is not set, and {str(path)!r} cannot be written to keep one: {error}."
        ) from error
    value = path.read_text(encoding="utf-8").strip()
    if not value:
        raise ImproperlyConfigured(f"{str(path)!r} is empty: delete it, or set {name}.")
    return value


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        origin = f"{parts.scheme}://{parts.hostname}"
        origin += f":{parts.port}" if parts.port else ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and text.lower() == origin


def _is_broker(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_server = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    if parts.scheme == "unix":
        return len(parts.path) > 1
    return parts.scheme in {"redis", "rediss"} and has_server
