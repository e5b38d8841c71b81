"""The library's rooms: who may join, and what is said there."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, PermissionsMixin

from aniworld_site.library.messages import (
    RootUpdated,
    ScanComplete,
    ScanFailed,
    ScanProgress,
    ScanStarted,
    SeriesRemoved,
    SeriesUpdated,
)
from realtime.rooms import Room


class PermittedRoom(Room):
    """A room for users who may see what it is about."""

    permission: ClassVar[str]

    def may_join(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        return (
            super().may_join(user)
            and isinstance(user, PermissionsMixin)
            and user.has_perm(self.permission)
        )


class ScanRoom(PermittedRoom):
    """All scans of all roots."""

    pattern = "scan"
    permission = "library.view_scan"
    messages = frozenset({ScanStarted, ScanProgress, ScanComplete, ScanFailed})


class LibraryRoom(PermittedRoom):
    """Every series and root, for lists."""

    pattern = "library"
    permission = "library.view_series"
    messages = frozenset({SeriesUpdated, SeriesRemoved, RootUpdated})


class SeriesRoom(PermittedRoom):
    """One series, by its key. Whether it exists is not asked: who may see all series may wait for one."""

    pattern = "series:{key}"
    permission = "library.view_series"
    messages = frozenset({SeriesUpdated, SeriesRemoved})
