"""The schedule beside the worker, in a thread of the same process."""

from __future__ import annotations

import logging
import threading

from celery import Celery
from celery.beat import Service
from django.db import connections

logger = logging.getLogger(__name__)

RETRY_S = 5.0
# The service sleeps no longer than this, so that it can be stopped.
LONGEST_SLEEP_S = 1


class Schedule(threading.Thread):
    """Runs Celery's beat, and begins anew after whatever ended it.

    Celery's own thread ends for good when the database is away while it starts, and the worker beside it goes on as if nothing were.
    """

    def __init__(self, app: Celery, *, retry_s: float = RETRY_S) -> None:
        super().__init__(name="schedule", daemon=True)
        self._app, self._retry_s = app, retry_s
        self._ended = threading.Event()
        self._service: Service | None = None

    def run(self) -> None:
        self._app.set_current()
        while not self._ended.is_set():
            self._service = Service(
                self._app,
                max_interval=LONGEST_SLEEP_S,
                scheduler_cls=self._app.conf.beat_scheduler,
            )
            try:
                self._service.start()
            except (
                Exception
            ):  # An edge: whatever it was, the library is to be swept again.
                logger.exception(
                    "The schedule broke off. It is tried again in %s s.", self._retry_s
                )
                self._ended.wait(self._retry_s)
            finally:
                connections.close_all()

    def stop(self, *, timeout_s: float) -> None:
        """End it and wait for that; what it does then is no longer waited for."""
        self._ended.set()
        if self._service is not None:
            self._service.stop()
        self.join(timeout_s)
