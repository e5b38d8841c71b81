"""The worker's application."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aniworld_site.settings")

from aniworld_site.worker import Heartbeat  # It needs the settings.

app = Celery("aniworld")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
heartbeat = Heartbeat()


@worker_ready.connect
def start_heartbeat(**_kwargs: Any) -> None:
    heartbeat.start()


@worker_shutdown.connect
def stop_heartbeat(**_kwargs: Any) -> None:
    heartbeat.stop()
