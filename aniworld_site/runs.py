"""Runs of the tasks that come round again: one at a time, and what is known of the last one.

It is kept in the broker: a look each five seconds is no reason to write into the database. While the broker is away nothing is known.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TypeVar

from celery import current_task
from django.db import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from aniworld_site.exceptions import DomainError
from aniworld_site.signals import task_began, task_ended
from aniworld_site.worker import connect_broker

logger = logging.getLogger(__name__)

PREFIX = "aniworld:run:"
SENT = "sent:"
LOCK_S, RENEW_S = 20.0, 5.0
"""A killed worker's lock is gone after the first; whoever lives renews it after the second."""
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The last run of a task."""

    began_at: datetime
    ended_at: datetime | None
    """`None` while it runs, and where it was killed."""
    error: str
    """A sentence; "" where it ended well."""
    is_running: bool
    sent_at: Mapping[str, datetime]
    """When the schedule had it run last, by the name of its row. django-celery-beat notes that in the database minutes later."""


def alone(
    name: str, *, is_quiet: bool = False
) -> Callable[[Callable[[], R]], Callable[[], R | None]]:
    """Let a task run once at a time, note how it went, and announce it: one that finds itself running ends at once, without a word.

    One that is quiet is announced only where it returned something or failed, and where a person asked for it.
    """

    def decorate(work: Callable[[], R]) -> Callable[[], R | None]:
        @wraps(work)
        def run() -> R | None:
            with closing(connect_broker()) as broker:
                running = Running(name, broker, is_quiet=is_quiet)
                return _run(work, running) if running.begin() else None

        return run

    return decorate


def _run(work: Callable[[], R], running: Running) -> R:
    error = "It was cut off."
    try:
        result = work()
        error, running.is_quiet = "", running.is_quiet and not result
        return result
    except Exception as fault:
        error = describe(fault)
        raise
    finally:
        running.end(error)


class Running:
    """One run: its lock, which a thread keeps alive, and the note about it."""

    def __init__(self, name: str, broker: Redis, *, is_quiet: bool = False) -> None:
        self._name, self._broker, self._key = name, broker, PREFIX + name
        self._row = _get_row_name()
        self.is_quiet = is_quiet and bool(self._row)
        # The thread that renews it did not take it.
        self._lock = broker.lock(_lock(name), timeout=LOCK_S, thread_local=False)
        self._began = timezone.now().isoformat()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"run-{name}")
        self._thread.daemon = True

    def begin(self) -> bool:
        """Return whether nobody else runs it; also where the broker does not say so: what two would do at once is claimed row by row."""
        try:
            if not self._lock.acquire(blocking=False):
                return False
            self._thread.start()
        except (RedisError, OSError) as error:
            logger.warning("%s runs without a lock: %s", self._name, error)
        sent = {SENT + self._row: self._began} if self._row else {}
        self._note({"ended": "", "error": "", **sent})
        if not self.is_quiet:
            task_began.send(Running, task=self._name)
        return True

    def end(self, error: str) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._note({"ended": timezone.now().isoformat(), "error": error})
        with suppress(RedisError, OSError):
            self._lock.release()
        if error or not self.is_quiet:
            task_ended.send(Running, task=self._name, error=error)

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            with suppress(RedisError, OSError):
                self._lock.reacquire()

    def _note(self, fields: Mapping[str, str]) -> None:
        with suppress(RedisError, OSError):
            self._broker.hset(self._key, mapping={"began": self._began, **fields})


def get_runs(names: Iterable[str]) -> dict[str, Run]:
    """Return the last run of each task by name, in one round trip; missing are those that nothing is known of, and all while the broker is away."""
    names = list(names)
    try:
        with closing(connect_broker()) as broker:
            pipeline = broker.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(PREFIX + name)
                pipeline.exists(_lock(name))
            answers = pipeline.execute()
    except (RedisError, OSError):
        return {}
    noted = zip(names, answers[::2], answers[1::2], strict=True)
    return {
        name: _read(fields, is_running=bool(lock))
        for name, fields, lock in noted
        if fields
    }


def describe(error: Exception) -> str:
    """Say in a sentence why a run failed."""
    if isinstance(error, DomainError):
        return str(error)
    if isinstance(error, DatabaseError):
        return "The database did not answer as it should; the log says more."
    if isinstance(error, (OperationalError, RedisError)):
        return "The broker went away; the log says more."
    return "It broke off; the log says why."


def _lock(name: str) -> str:
    return f"{PREFIX}{name}:lock"


def _read(fields: Mapping[bytes, bytes], *, is_running: bool) -> Run:
    words = {name.decode(): value.decode() for name, value in fields.items()}
    ended = words.get("ended")
    return Run(
        began_at=datetime.fromisoformat(words["began"]),
        ended_at=datetime.fromisoformat(ended) if ended else None,
        error=words.get("error", ""),
        is_running=is_running,
        sent_at={
            name.removeprefix(SENT): datetime.fromisoformat(value)
            for name, value in words.items()
            if name.startswith(SENT)
        },
    )


def _get_row_name() -> str:
    """Return the row for which beat sent the task that runs here; "" where a person asked for it."""
    request = getattr(current_task, "request", None)
    headers = getattr(request, "headers", None) or {}
    return str(headers.get("periodic_task_name", ""))
