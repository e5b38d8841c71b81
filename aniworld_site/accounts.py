"""The first account: whoever opens a fresh site becomes its administrator."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from aniworld_site.exceptions import DomainError


def has_users() -> bool:
    return User.objects.exists()


@transaction.atomic
def create_administrator(username: str, password: str) -> User:
    """Create the administrator of a site that has no user yet.

    Raises:
        DomainError: When there is a user; of two people who ask at once, one gets this.
    """
    # A row that is always there serves as the lock: with no user yet there is nothing else that two requests would both touch.
    ContentType.objects.select_for_update().get(app_label="auth", model="user")
    if has_users():
        raise DomainError(
            "This site already has an administrator. Log in, or ask them for an account."
        )
    return User.objects.create_superuser(username, password=password)
