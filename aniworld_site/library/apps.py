"""The library as an application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LibraryConfig(AppConfig):
    name = "aniworld_site.library"
    verbose_name = "Library"

    def ready(self) -> None:
        import_module("aniworld_site.library.receivers")
        groups = import_module("aniworld_site.library.groups")
        # After the one of auth, which makes the permissions.
        post_migrate.connect(groups.make_groups, sender=self)
