"""Downloads as an application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "aniworld_site.downloads"
    verbose_name = "Downloads"

    def ready(self) -> None:
        import_module("aniworld_site.downloads.receivers")
