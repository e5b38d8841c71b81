"""What the site tells of its own tasks, and when it is silent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from aniworld_site.library.models import Scan
from aniworld_site.library.tasks import do_scan, settle_files, sweep_scans
from aniworld_site.runs import Running, alone
from aniworld_site.worker import connect_broker
from realtime.publishing import Publication
from realtime.testing import published
from tests.factories import make_scan

pytestmark = pytest.mark.django_db(transaction=True)
BY_SCHEDULE = {"periodic_task_name": "Mine"}


def said(publications: list[Publication]) -> list[tuple[str, str]]:
    messages: list[Any] = [
        each.message for each in publications if each.room == "system"
    ]
    return [(each.task, each.status) for each in messages]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    asked: list[int] = []
    monkeypatch.setattr(do_scan, "delay", asked.append)
    return asked


def test_task_is_told_when_it_begins_and_when_it_ends():
    with published() as publications:
        settle_files.apply(headers=BY_SCHEDULE)

    assert said(publications) == [("settle-files", "running"), ("settle-files", "done")]


def test_failure_is_told_without_its_reason():
    """Whoever is logged in may listen."""

    @alone("tried")
    def fail() -> None:
        raise OperationalError("secret host")

    with published() as publications, pytest.raises(OperationalError):
        fail()

    assert said(publications) == [("tried", "running"), ("tried", "failed")]


def test_what_finds_itself_running_says_nothing():
    with connect_broker() as broker, published() as publications:
        other = Running("settle-files", broker)
        other.begin()
        del publications[:]

        settle_files()

        assert publications == []
        other.end("")


def test_sweep_that_finds_nothing_is_silent(asked: list[int]):
    with published() as publications:
        sweep_scans.apply(headers=BY_SCHEDULE)

    assert (asked, publications) == ([], [])


def test_sweep_that_finds_something_is_told(asked: list[int]):
    scan = make_scan(state=Scan.State.QUEUED)

    with published() as publications:
        sweep_scans.apply(headers=BY_SCHEDULE)

    assert asked == [scan.pk]
    assert said(publications) == [("sweep-scans", "done")]


def test_sweep_that_a_person_asked_for_is_told():
    with published() as publications:
        sweep_scans.apply()

    assert said(publications) == [("sweep-scans", "running"), ("sweep-scans", "done")]
