"""Fixtures for all tests."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest
from django.db import connection

from tests import settings as test_settings
from tests.running import RunningSite
from tests.servers import Valkey, wants_postgres

LOG_CHARS = 20_000

# Whatever a script starts in its background ignores Ctrl-C, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Ask PostgreSQL only what asks a database: all else was tested beside SQLite."""
    if not wants_postgres():
        return
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        (kept if asks_database(item) else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a whole site said, where a test of it failed: the site and its log are gone afterwards."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, RunningSite) and value.log.exists():
                said = value.log.read_text(errors="replace")[-LOG_CHARS:]
                report.sections.append((f"Log of {name}", said))
    return report


def asks_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(
        item.get_closest_marker("django_db")
        or item.get_closest_marker("postgres")
        or fixtures & {"db", "transactional_db"}
        # A whole site has one.
        or hasattr(getattr(item, "module", None), "RunningSite")
    )


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
