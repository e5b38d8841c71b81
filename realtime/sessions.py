"""Whether the one who connected is still logged in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from channels.auth import get_user
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

User = AbstractBaseUser | AnonymousUser


def is_active(user: User) -> bool:
    """Return whether this is somebody who is logged in and not locked."""
    return user.is_authenticated and user.is_active


def get_user_key(user: User) -> str:
    """Return what limits and revocations call a user."""
    return f"user:{user.pk}"


async def get_current_user(scope: Mapping[str, Any], user: User) -> User:
    """Return the user of the scope's session as the database has it now; `user` itself where there is no session.

    A session that ended, was locked out or belongs to an old password has an `AnonymousUser`. Three queries at most.
    """
    session = scope.get("session")
    if session is None:
        return user
    store = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    return await get_user(cast(Any, {"session": store}))
