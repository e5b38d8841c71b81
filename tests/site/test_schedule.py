"""The schedule beside the worker."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from celery import Celery
from celery.beat import Scheduler
from django.db import OperationalError

from aniworld_site.schedule import Schedule
from tests.running import until

ticked = threading.Event()
fails_left = 0


class FailingScheduler(Scheduler):
    """Fails as the real one does while the database is away: when it is made, and in the middle."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fail()

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        self._fail()
        ticked.set()
        return 0.01

    def _fail(self) -> None:
        global fails_left  # Celery makes the scheduler, so that nothing can be handed to it.
        if fails_left:
            fails_left -= 1
            raise OperationalError("The database is starting up.")


@pytest.mark.parametrize("fails", [0, 1, 4])
def test_it_goes_on_after_whatever_ended_it(
    fails: int, caplog: pytest.LogCaptureFixture
):
    global fails_left  # As above.
    ticked.clear()
    fails_left = fails
    app = Celery("tried", broker="memory://", set_as_current=False)
    app.conf.beat_scheduler = FailingScheduler
    schedule = Schedule(app, retry_s=0.01)
    schedule.start()

    try:
        until(ticked.is_set, what="a tick")
    finally:
        schedule.stop(timeout_s=5)

    assert not schedule.is_alive()
    assert caplog.text.count("The schedule broke off") == fails
