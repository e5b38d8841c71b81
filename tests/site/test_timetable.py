"""What the site does by itself: made where it is missing, and left as a person wants it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from aniworld_site.timetable import TIMETABLE, make_rows

pytestmark = pytest.mark.django_db
NAMES = {entry.name for entry in TIMETABLE}


def get_row(name: str = "refresh-sources") -> PeriodicTask:
    return PeriodicTask.objects.get(name=name)


def test_rows_are_there_after_the_migrations():
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == NAMES


def test_each_row_names_a_task_that_a_worker_knows():
    for entry in TIMETABLE:
        row = get_row(entry.name)
        assert row.task in entry.task.app.tasks
        assert row.interval.schedule.run_every > timedelta(0)


def test_frequent_looks_do_not_pile_up():
    options = {name: ModelEntry(get_row(name)).options for name in NAMES}

    assert options["sweep-scans"]["expires"] == 5
    assert options["settle-files"]["expires"] == 60
    assert options["refresh-sources"]["expires"] == 60


def test_what_a_person_changed_in_the_admin_is_kept_at_the_next_start(admin_client):
    row = get_row()
    rare = IntervalSchedule.objects.create(every=7, period="hours")
    form = {
        "name": row.name,
        "task": row.task,
        "interval": rare.pk,
        "args": "[]",
        "kwargs": "{}",
        "headers": "{}",
        "description": row.description,
    }
    url = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])

    response = admin_client.post(url, form)
    call_command("migrate", verbosity=0)

    assert response.status_code == 302
    row.refresh_from_db()
    # What the form did not name is empty: it is switched off, and does not expire.
    assert (row.interval, row.enabled, row.expire_seconds) == (rare, False, None)
    assert PeriodicTask.objects.count() == len(NAMES)


def test_row_of_another_name_is_not_made_twice():
    PeriodicTask.objects.filter(name="sweep-scans").update(name="Mine")

    make_rows()

    assert not PeriodicTask.objects.filter(name="sweep-scans").exists()


def test_name_that_a_person_gave_to_another_task_is_left_alone():
    PeriodicTask.objects.filter(name="sweep-scans").update(task="celery.ping")

    make_rows()

    assert get_row("sweep-scans").task == "celery.ping"


def test_deleted_row_is_made_again():
    get_row("sweep-scans").delete()

    make_rows()
    make_rows()

    assert get_row("sweep-scans").interval.schedule.run_every == timedelta(seconds=5)


def test_interval_that_is_there_twice_is_used():
    PeriodicTask.objects.all().delete()
    for _ in range(2):
        IntervalSchedule.objects.create(every=5, period="seconds")

    make_rows()

    assert set(PeriodicTask.objects.values_list("name", flat=True)) == NAMES


def test_row_of_an_older_version_learns_to_expire_and_keeps_the_rest():
    often = IntervalSchedule.objects.create(every=30, period="seconds")
    PeriodicTask.objects.filter(name="settle-files").update(
        description="", expire_seconds=None, interval=often, enabled=False
    )

    make_rows()

    row = get_row("settle-files")
    assert (row.expire_seconds, row.interval, row.enabled) == (60, often, False)


@pytest.mark.parametrize("ran", [None, timedelta(hours=1)])
def test_start_is_no_reason_to_run_what_is_done_each_day(ran: timedelta | None):
    """A database that was away is one neither: beat begins anew then."""
    last_run_at = ran and timezone.now() - ran
    PeriodicTask.objects.filter(name="scan-roots").update(last_run_at=last_run_at)

    entry = ModelEntry(get_row("scan-roots"))

    assert not entry.is_due().is_due
    assert entry.is_due().next > timedelta(hours=22).total_seconds()
    assert "expires" not in entry.options
