"""A database that breaks off while a download runs: it is no fault of the download's, which goes on where it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from aniworld_site.downloads.dispatching import Dispatcher
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.transitions import release_stale
from tests.downloads.test_dispatching_steering import begin, let_go_on, list_children
from tests.running import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

State = Download.State
LOCKED_S = 1
"""How long a write waits for others."""


@pytest.fixture
def dispatcher(monkeypatch):
    monkeypatch.setattr("aniworld_site.downloads.runner.BEAT_S", 0.1)
    if connection.vendor == "sqlite":
        options = connection.settings_dict["OPTIONS"]
        monkeypatch.setitem(options, "timeout", LOCKED_S)
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.give_back()


@contextmanager
def breaking_the_database() -> Iterator[None]:
    """Keep all others from writing to SQLite meanwhile, or end their connections to PostgreSQL."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        yield
        return
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_download_that_loses_the_database_is_put_back(shelf, dispatcher):
    download = begin(shelf, dispatcher)

    with breaking_the_database():
        until(lambda: not list_children(), what="a child that ends")
    dispatcher.give_back()

    download.refresh_from_db()
    assert (download.state, download.attempts, download.reason) == (State.QUEUED, 0, "")
    assert download.due_at is not None
    assert download.due_at > timezone.now()
    Download.objects.update(due_at=None)
    let_go_on(shelf, Dispatcher())
    assert shelf.videos[0].requests[1].startswith("bytes=")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL is back at once")
def test_a_download_that_cannot_even_be_put_back_is_taken_up_again(shelf, dispatcher):
    download = begin(shelf, dispatcher)

    with breaking_the_database():
        dispatcher.give_back()
    download.refresh_from_db()
    assert (download.state, list_children()) == (State.ACTIVE, [])
    Download.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=21))

    assert release_stale() == 1
    let_go_on(shelf, Dispatcher())
    assert shelf.videos[0].requests[1].startswith("bytes=")
