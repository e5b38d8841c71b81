"""The realtime layer as an application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RealtimeConfig(AppConfig):
    """Learns the messages and rooms of all installed apps, as the admin learns their models."""

    name = "realtime"
    verbose_name = "Realtime"

    def ready(self) -> None:
        from realtime import checks  # noqa: F401 - registers the checks
        from realtime.revocations import connect_signals

        autodiscover_modules("messages", "rooms")
        connect_signals()
