"""What the schedule's page shows of each task: how often it runs, how its last run went, and when the next one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.exceptions import ImproperlyConfigured
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from aniworld_site.runs import Run, get_runs
from aniworld_site.timetable import TIMETABLE, Entry
from aniworld_site.wording import describe_rhythm, describe_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A task of the timetable with what its page tells of it."""

    entry_name: str
    label: str
    does: str
    permission: str
    often: str
    state: str
    """running, done, failed, cut off, or "" where nothing is known of a run."""
    error: str
    began_at: datetime | None
    took: str
    next_at: datetime | None
    """`None` for never."""
    is_due: bool
    row_id: int | None
    """Of the first row that has it run, for the admin."""


def list_planned() -> list[Planned]:
    """Return the tasks in the timetable's order, in one query and one round trip to the broker."""
    tasks = {entry.task.name: entry.name for entry in TIMETABLE}
    found = PeriodicTask.objects.filter(task__in=tasks).order_by("pk")
    rows: dict[str, list[PeriodicTask]] = {name: [] for name in tasks.values()}
    for row in found.select_related("interval", "crontab", "solar", "clocked"):
        rows[tasks[row.task]].append(row)
    runs = get_runs(rows)
    return [
        _describe(entry, rows[entry.name], runs.get(entry.name)) for entry in TIMETABLE
    ]


def _describe(entry: Entry, rows: list[PeriodicTask], run: Run | None) -> Planned:
    enabled = [row for row in rows if row.enabled]
    sent_at = run.sent_at if run else {}
    coming = [moment for row in enabled if (moment := find_next(row, sent_at))]
    next_at = min(coming, default=None)
    # Without the broker only what django-celery-beat wrote into the database is known.
    noted = max((row.last_run_at for row in rows if row.last_run_at), default=None)
    return Planned(
        entry_name=entry.name,
        label=entry.label,
        does=entry.does,
        permission=entry.permission,
        often=" and ".join(map(_describe_rhythm, enabled)) or "switched off",
        state=_get_state(run) if run else "",
        error=run.error if run else "",
        began_at=run.began_at if run else noted,
        took=describe_time(run.ended_at - run.began_at) if run and run.ended_at else "",
        next_at=next_at,
        is_due=next_at is not None and next_at <= timezone.now(),
        row_id=rows[0].pk if rows else None,
    )


def _get_state(run: Run) -> str:
    if run.is_running:
        return "running"
    if run.ended_at is None:
        return "cut off"
    return "failed" if run.error else "done"


def find_next(row: PeriodicTask, sent_at: Mapping[str, datetime]) -> datetime | None:
    """Return when beat runs a row next, by its own reckoning; `None` for never. `sent_at` says when it last did, by names of rows."""
    now = timezone.now()
    if row.expires and row.expires <= now:
        return None
    last_run_at = row.last_run_at or row.date_changed
    last_run_at = max(last_run_at, sent_at.get(row.name, last_run_at))
    try:
        is_due, wait_s = row.schedule.is_due(last_run_at)
        next_at = now if is_due else now + timedelta(seconds=wait_s)
    except (ImproperlyConfigured, OverflowError):
        # A package is missing for it, or it is in so many years: beat does not get there either.
        return None
    return max(next_at, row.start_time or next_at)


def _describe_rhythm(row: PeriodicTask) -> str:
    if row.crontab:
        return str(row.crontab.human_readable)
    if row.interval:
        return describe_rhythm(row.interval.schedule.run_every)
    return str(row.scheduler)
