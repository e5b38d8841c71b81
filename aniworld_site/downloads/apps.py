"""Downloads as an application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DownloadsConfig(AppConfig):
    name = "aniworld_site.downloads"
    verbose_name = "Downloads"

    def ready(self) -> None:
        import_module("aniworld_site.downloads.receivers")
        groups = import_module("aniworld_site.groups")
        # The last of ours to be migrated: then auth has made all permissions.
        post_migrate.connect(groups.make_groups, sender=self)
