"""The site as an application: its commands, templates and static files."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class SiteConfig(AppConfig):
    name = "aniworld_site"
    label = "aniworld_site"
    verbose_name = "AniWorld"

    def ready(self) -> None:
        # Tasks bind to the application that is loaded: without it they would look for a broker on this machine's port.
        import_module("aniworld_site.celery")
        import_module("aniworld_site.receivers")
        timetable = import_module("aniworld_site.timetable")
        beat = apps.get_app_config("django_celery_beat")
        post_migrate.connect(timetable.make_rows, sender=beat)
