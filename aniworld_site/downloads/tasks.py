"""What the worker does for sources. The database says what is due: a task only says "look"."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from kombu.exceptions import OperationalError

from aniworld_site.downloads.models import Source
from aniworld_site.downloads.pictures import fetch_pictures
from aniworld_site.downloads.refreshing import refresh_source
from aniworld_site.runs import alone

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def refresh_one(source_id: int, *, only_due: bool = False) -> None:
    sources = Source.objects.due() if only_due else Source.objects.all()
    if source := sources.filter(pk=source_id).first():
        refresh_source(source)
        fetch_pictures(source)


@shared_task(ignore_result=True)
def fetch_posters(source_id: int) -> None:
    if source := Source.objects.filter(pk=source_id).first():
        fetch_pictures(source)


def wake(task: Task[..., Any], source_id: int) -> None:
    """Have a worker do something about a source soon. While the broker is away nobody is told, and the next look at what is due finds it."""
    try:
        task.apply_async((source_id,), retry=False)
    except OperationalError as error:
        logger.warning("Source %s waits for the broker: %s", source_id, error)


@shared_task(ignore_result=True)
@alone("refresh-sources")
def refresh_due_sources() -> None:
    for source_id in Source.objects.due().values_list("pk", flat=True):
        # While all workers are busy each look asks again, and the first that is done reads for all.
        refresh_one.delay(source_id, only_due=True)
