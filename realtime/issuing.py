"""Makes and revokes keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from realtime.keys import SHOWN_CHARS, make_digest, make_secret
from realtime.models import ApiKey
from realtime.revocations import recheck


def make_key(
    user: Any, name: str, scopes: Sequence[str], *, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key for a user and return its row and itself, which is kept nowhere.

    Raises:
        ValidationError: the name or a scope cannot be.
    """
    secret = make_secret()
    key = ApiKey(
        user=user,
        name=name,
        scopes=list(scopes),
        expires_at=expires_at,
        prefix=secret[:SHOWN_CHARS],
        digest=make_digest(secret),
    )
    key.full_clean()
    key.save(force_insert=True)
    return key, secret


def revoke_keys(keys: Iterable[ApiKey]) -> int:
    """Revoke keys for good, end the connections that came by them, and return how many were not revoked before."""
    revoked = 0
    for key in keys:
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        ):
            revoked += 1
            recheck(key.user)
    return revoked
