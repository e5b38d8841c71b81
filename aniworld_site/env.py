"""Readers that turn the environment into settings and fail loudly, by the variable's name.

Each `ANIWORLD_X` may also be given as `ANIWORLD_X_FILE`, the path of a file that holds the value.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

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
