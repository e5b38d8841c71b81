"""The library as an application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "aniworld_site.library"
    verbose_name = "Library"

    def ready(self) -> None:
        import_module("aniworld_site.library.receivers")
