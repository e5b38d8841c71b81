"""People of the admin, where a project has one."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User

KEYS, ACTIVITY = "/admin/realtime/apikey/", "/admin/realtime/activity/"
needs_admin = pytest.mark.skipif(
    not apps.is_installed("django.contrib.admin"), reason="There is no admin."
)


def make_staff(*codenames: str, username: str = "mia", **fields: Any) -> User:
    """Make somebody who may enter the admin, with permissions like "view_activity"."""
    user = User.objects.create_user(username, is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user
