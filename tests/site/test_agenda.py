"""What the schedule's page shows of each task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)
from redis import Redis

from aniworld_site.agenda import Planned, find_next, list_planned
from aniworld_site.library.tasks import settle_files
from aniworld_site.runs import PREFIX, Running
from aniworld_site.timetable import TIMETABLE
from aniworld_site.worker import connect_broker
from tests.servers import Valkey

pytestmark = pytest.mark.django_db
NAME = "settle-files"
NEAR = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def broker() -> Iterator[Redis]:
    """A broker that knows of no run yet."""
    with closing(connect_broker()) as broker:
        broker.delete(*(PREFIX + entry.name for entry in TIMETABLE))
        yield broker


def get_planned(name: str = NAME) -> Planned:
    [planned] = [planned for planned in list_planned() if planned.entry_name == name]
    return planned


def change(**fields: object) -> PeriodicTask:
    row = PeriodicTask.objects.get(name=NAME)
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    return row


def test_each_task_of_the_timetable_is_there_once_and_no_other():
    PeriodicTask.objects.create(
        name="celery.backend_cleanup",
        task="celery.backend_cleanup",
        interval=IntervalSchedule.objects.create(every=1, period="days"),
    )

    planned = list_planned()

    assert [each.label for each in planned] == [
        "Read sources",
        "Scan root folders",
        "Look after files and trash",
        "Take up scans",
    ]
    assert [each.often for each in planned] == [
        "every minute",
        "every day",
        "every minute",
        "every 5 seconds",
    ]
    assert {each.state for each in planned} == {""}


def test_run_that_ended_well_is_told():
    settle_files()

    planned = get_planned()

    assert (planned.state, planned.error) == ("done", "")
    assert planned.began_at is not None
    assert timezone.now() - planned.began_at < NEAR
    assert planned.took.endswith("\xa0s")


@pytest.mark.parametrize(("is_alive", "state"), [(True, "running"), (False, "cut off")])
def test_run_that_has_not_ended_is_told_from_one_that_was_killed(
    broker: Redis, *, is_alive: bool, state: str
):
    running = Running(NAME, broker)
    running.begin()
    if not is_alive:
        broker.delete(f"{PREFIX}{NAME}:lock")

    planned = get_planned()

    running.end("")
    assert (planned.state, planned.took) == (state, "")


def test_run_that_failed_is_told_with_its_reason(broker: Redis):
    running = Running(NAME, broker)
    running.begin()
    running.end("The disk is full.")

    assert (get_planned().state, get_planned().error) == ("failed", "The disk is full.")


@pytest.mark.fault
def test_without_a_broker_it_tells_what_the_database_knows(valkey: Valkey):
    change(last_run_at=timezone.now() - timedelta(seconds=20))
    valkey.kill()
    try:
        planned = get_planned()
    finally:
        valkey.start()

    assert planned.state == ""
    assert planned.began_at is not None
    assert planned.next_at is not None


def test_what_is_switched_off_has_no_next_run():
    change(enabled=False)

    assert (get_planned().often, get_planned().next_at) == ("switched off", None)


def test_what_a_person_deleted_has_no_row_to_change():
    PeriodicTask.objects.filter(name=NAME).delete()

    planned = get_planned()

    assert (planned.often, planned.next_at, planned.row_id) == (
        "switched off",
        None,
        None,
    )


def test_of_two_rows_of_one_task_the_next_counts():
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="Mine", task=settle_files.name, interval=hourly)

    planned = get_planned()

    assert planned.often == "every minute and every hour"
    assert planned.next_at is not None
    assert planned.next_at - timezone.now() < timedelta(minutes=1)


def test_next_run_is_reckoned_from_what_the_schedule_did_and_no_persons_wish():
    """It writes into the database minutes later, and does not know of what a person had run."""
    change(last_run_at=timezone.now() - timedelta(minutes=5))
    settle_files.apply(headers={"periodic_task_name": NAME})
    by_schedule = get_planned()
    change(last_run_at=timezone.now() - timedelta(seconds=59))
    PeriodicTask.objects.filter(name=NAME).update(name="Other")
    settle_files()

    by_hand = get_planned()

    assert by_schedule.next_at is not None
    assert by_hand.next_at is not None
    assert by_schedule.next_at - timezone.now() > NEAR
    assert by_hand.next_at - timezone.now() < NEAR


def test_what_should_have_run_is_due():
    change(last_run_at=timezone.now() - timedelta(hours=1))

    assert get_planned().is_due


def test_hour_of_a_day_is_in_its_own_time_zone():
    """Noon in Tokyo is three in the morning in UTC."""
    daily = CrontabSchedule.objects.create(minute="0", hour="12", timezone="Asia/Tokyo")
    row = change(interval=None, crontab=daily)

    next_at = find_next(row, {})

    assert next_at is not None
    at = (next_at + timedelta(seconds=1)).astimezone(UTC)
    assert (at.hour, at.minute) == (3, 0)
    assert "12:00 PM" in get_planned().often


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"expires": datetime(2020, 1, 1, tzinfo=UTC), "expire_seconds": None}, None),
        (
            {"start_time": datetime(2099, 1, 1, tzinfo=UTC)},
            datetime(2099, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_row_that_begins_or_ends_at_a_time_keeps_to_it(
    fields: dict[str, object], expected: datetime | None
):
    assert find_next(change(**fields), {}) == expected


def test_row_that_is_done_once_has_that_time():
    at = timezone.now() + timedelta(days=3)
    clocked = ClockedSchedule.objects.create(clocked_time=at)

    next_at = find_next(change(interval=None, clocked=clocked, one_off=True), {})

    assert next_at is not None
    assert abs(next_at - at) < NEAR


def test_rhythm_that_no_calendar_holds_has_no_next_run():
    rare = IntervalSchedule.objects.create(every=900_000_000, period="days")

    assert find_next(change(interval=rare), {}) is None
