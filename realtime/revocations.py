"""Tells every process that a user's rights may have changed, so that open connections are looked at again at once.

What is missed here, since the broker is away, is found when connections are looked at anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from redis.exceptions import RedisError

from realtime.history import send_to_group
from realtime.hub import CONTROL_GROUP, EVERYBODY
from realtime.sessions import get_user_key

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.5
_has_connections: ContextVar[bool] = ContextVar("has_connections", default=True)


def recheck(user: AbstractBaseUser | None) -> None:
    """Have all connections of a user looked at again, once the current transaction has committed; those of everybody for None.

    Never raises, and waits at most half a second for the broker.
    """
    key = get_user_key(user) if user is not None else EVERYBODY
    transaction.on_commit(partial(_send, key), robust=True)


@contextmanager
def nobody_is_connected() -> Iterator[None]:
    """Say that no process has connections yet, so that whose rights change meanwhile need not be told, nor a broker be there."""
    token = _has_connections.set(False)
    try:
        yield
    finally:
        _has_connections.reset(token)


def _send(user_key: str) -> None:
    if not _has_connections.get():
        return
    event = {"type": "room.recheck", "user_key": user_key}
    try:
        send_to_group(CONTROL_GROUP, event, timeout_s=TIMEOUT_S)
    except (RedisError, OSError, ImproperlyConfigured) as error:
        logger.warning("Connections are not looked at again at once: %s", error)


def _on_logout(user: AbstractBaseUser | None, **_kwargs: Any) -> None:
    if user is not None:
        recheck(user)


def _on_save(instance: AbstractBaseUser, **kwargs: Any) -> None:
    # A login writes the time of it, and nothing that matters here.
    if set(kwargs.get("update_fields") or ()) != {"last_login"}:
        recheck(instance)


def _on_rights(instance: Any, action: str, **_kwargs: Any) -> None:
    if action.startswith("post_"):
        recheck(instance if isinstance(instance, AbstractBaseUser) else None)


def connect_signals() -> None:
    """Listen to logouts, changed or deleted users, and rights given or taken."""
    model = get_user_model()
    user_logged_out.connect(_on_logout, dispatch_uid="realtime.logout")
    post_save.connect(_on_save, sender=model, dispatch_uid="realtime.saved")
    post_delete.connect(_on_save, sender=model, dispatch_uid="realtime.deleted")
    for field in ("groups", "user_permissions"):
        if through := getattr(getattr(model, field, None), "through", None):
            m2m_changed.connect(
                _on_rights, sender=through, dispatch_uid=f"realtime.{field}"
            )
    m2m_changed.connect(
        _on_rights,
        sender=Group.permissions.through,
        dispatch_uid="realtime.group_permissions",
    )
