"""Fixtures for all tests."""

from __future__ import annotations

import signal

import pytest
from django.db import connection

from tests import settings as test_settings
from tests.servers import Valkey

# Whatever a script starts in its background ignores Ctrl-C, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def valkey() -> Valkey:
    """The Valkey behind the channel layer and the worker's queue; whoever kills it starts it again."""
    return test_settings.valkey


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """End the sessions that are left on the server: PostgreSQL deletes no database that somebody uses.

    Killed commands leave some, and one stays in the thread that Channels shares: its communicator for tests closes none.
    """
    yield
    if connection.vendor != "postgresql":
        return
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
