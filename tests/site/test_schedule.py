"""The schedule beside the worker."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.signals import before_task_publish
from django.db import OperationalError
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from aniworld_site.schedule import Schedule
from aniworld_site.timetable import make_rows
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


@pytest.mark.django_db(transaction=True)
def test_a_change_of_a_row_is_taken_up_while_it_runs():
    sent: set[str] = set()

    def note(sender: str, **_kwargs: Any) -> None:
        sent.add(sender.rpartition(".")[2])

    make_rows()
    PeriodicTask.objects.exclude(name="sweep-scans").update(enabled=False)
    often = IntervalSchedule.objects.create(every=1, period="seconds")
    PeriodicTask.objects.update(interval=often)
    app = Celery("tried", broker="memory://", set_as_current=False)
    app.conf.beat_scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
    schedule = Schedule(app)
    before_task_publish.connect(note)
    schedule.start()

    try:
        until(lambda: sent == {"sweep_scans"}, what="the schedule's first task")
        row = PeriodicTask.objects.get(name="settle-files")
        row.enabled = True
        row.save()

        until(lambda: "settle_files" in sent, what="what was switched on")
    finally:
        schedule.stop(timeout_s=5)
        before_task_publish.disconnect(note)

    assert sent == {"sweep_scans", "settle_files"}
