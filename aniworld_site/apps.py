"""The site as an application: its commands, templates and static files."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "aniworld_site"
    label = "aniworld_site"
    verbose_name = "AniWorld"
