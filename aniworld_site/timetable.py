"""What the site does by itself again and again, and its rows in django-celery-beat: made once, and a person's from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery import Task
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError

from aniworld_site.downloads.tasks import refresh_due_sources
from aniworld_site.exceptions import DomainError
from aniworld_site.library.tasks import scan_roots, settle_files, sweep_scans
from aniworld_site.runs import get_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task that comes round again, with what its row says at first."""

    name: str
    """Of its row at first, and in addresses and messages for ever."""
    label: str
    does: str
    """One sentence for a person."""
    permission: str
    """Of who may have it run now."""
    task: Task[[], Any]
    every: int
    period: str
    """Of django-celery-beat: seconds, minutes, hours or days."""
    expires_s: int | None = None
    """After which it is not begun any more: while no worker is there the looks that it missed do not pile up."""


TIMETABLE = (
    Entry(
        name="refresh-sources",
        label="Read sources",
        does="Reads each source whose time has come, and queues new episodes of monitored series.",
        permission="downloads.change_source",
        task=refresh_due_sources,
        every=1,
        period=IntervalSchedule.MINUTES,
        expires_s=60,
    ),
    Entry(
        name="scan-roots",
        label="Scan root folders",
        does="Reads what changed in each root folder that is online.",
        permission="library.scan_rootfolder",
        task=scan_roots,
        every=24,
        period=IntervalSchedule.HOURS,
    ),
    Entry(
        name="settle-files",
        label="Look after files and trash",
        does="Finishes file operations that were interrupted, and deletes for good what lay in the trash for long enough.",
        permission="library.scan_rootfolder",
        task=settle_files,
        every=1,
        period=IntervalSchedule.MINUTES,
        expires_s=60,
    ),
    Entry(
        name="sweep-scans",
        label="Take up scans",
        does="Takes up scans that wait, and those whose worker was killed.",
        permission="library.scan_rootfolder",
        task=sweep_scans,
        every=5,
        period=IntervalSchedule.SECONDS,
        expires_s=5,
    ),
)


def make_rows(**_kwargs: Any) -> None:
    """Make the rows that are not there, after each migration and so before beat begins; what a person changed in one stays.

    A row is known by its task, so that one with another name is not made twice. One that was deleted is made again at the next start:
    whoever does not want a task switches its row off, where it can be seen.
    """
    rows = list(PeriodicTask.objects.all())
    tasks, names = {row.task for row in rows}, {row.name for row in rows}
    for entry in TIMETABLE:
        if entry.task.name not in tasks and entry.name not in names:
            _make_row(entry)
    _complete_old_rows(rows)


def _make_row(entry: Entry) -> None:
    # `get_or_create` fails where a person has made the same interval twice, which the admin allows.
    rhythm = {"every": entry.every, "period": entry.period}
    PeriodicTask.objects.create(
        name=entry.name,
        task=entry.task.name,
        description=entry.does,
        expire_seconds=entry.expires_s,
        interval=IntervalSchedule.objects.filter(**rhythm).first()
        or IntervalSchedule.objects.create(**rhythm),
    )


def _complete_old_rows(rows: list[PeriodicTask]) -> None:
    """Let the rows of versions up to 0.1 expire, which were meant to and did not; they are those without a description."""
    entries = {(entry.name, entry.task.name): entry for entry in TIMETABLE}
    for row in rows:
        entry = entries.get((row.name, row.task))
        if entry and not (row.description or row.expires or row.expire_seconds):
            row.description, row.expire_seconds = entry.does, entry.expires_s
            row.save()


def run_now(entry: Entry) -> None:
    """Have a worker run a task as soon as one can.

    Raises:
        DomainError: It is running, or the broker is away.
    """
    run = get_runs([entry.name]).get(entry.name)
    if run is not None and run.is_running:
        raise DomainError(f"{entry.label}: it is running already.")
    try:
        entry.task.apply_async(retry=False)
    except OperationalError as error:
        raise DomainError(
            "No worker can be asked now, since the broker is away. Try again in a few seconds."
        ) from error
