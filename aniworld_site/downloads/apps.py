"""Downloads as an application."""

from __future__ import annotations

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "aniworld_site.downloads"
    verbose_name = "Downloads"
