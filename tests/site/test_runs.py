"""Tasks that come round again: never twice at once, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import cast

import pytest
from django.db import OperationalError
from redis import Redis

from aniworld_site import runs
from aniworld_site.exceptions import DomainError
from aniworld_site.runs import LOCK_S, PREFIX, Run, Running, alone, get_runs
from aniworld_site.timetable import TIMETABLE, Entry
from aniworld_site.worker import connect_broker
from tests.running import until
from tests.servers import Valkey

NAME = "tried"
LOCK = f"{PREFIX}{NAME}:lock"


@pytest.fixture
def broker() -> Iterator[Redis]:
    with closing(connect_broker()) as broker:
        yield broker
        broker.delete(LOCK, PREFIX + NAME)


def get_left_ms(broker: Redis) -> int:
    """Return how long the lock lives; the stubs of the client allow for an asynchronous one."""
    return cast(int, broker.pttl(LOCK))


def get_run(name: str = NAME) -> Run:
    return get_runs([name])[name]


@pytest.mark.usefixtures("broker")
def test_nothing_is_known_of_what_never_ran():
    assert get_runs([NAME]) == {}


@pytest.mark.usefixtures("broker")
def test_run_is_noted_from_its_beginning_to_its_end():
    seen: list[Run] = []
    work = alone(NAME)(lambda: seen.append(get_run()))

    work()

    [during], after = seen, get_run()
    assert (during.is_running, during.ended_at) == (True, None)
    assert after.ended_at is not None
    assert after.began_at == during.began_at < after.ended_at
    assert (after.is_running, after.error, after.sent_at) == (False, "", {})


@pytest.mark.usefixtures("broker")
def test_what_finds_itself_running_ends_at_once_and_leaves_no_note():
    inner: list[object] = []
    seen: list[Run] = []

    def work() -> str:
        inner.append(again())
        seen.append(get_run())
        return "done"

    again = alone(NAME)(work)

    assert again() == "done"

    assert inner == [None]
    assert (seen[0].is_running, seen[0].ended_at) == (True, None)


@pytest.mark.usefixtures("broker")
def test_what_has_ended_may_run_again():
    work = alone(NAME)(lambda: "done")

    assert [work(), work()] == ["done", "done"]


def fail_with(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DomainError("The folder is away."), "The folder is away."),
        (OperationalError("secret host"), "The database did not answer"),
        (ConnectionError("secret host"), "It broke off; the log says why."),
    ],
)
def test_failure_is_noted_in_words_and_passed_on(error: Exception, sentence: str):
    with pytest.raises(type(error)):
        alone(NAME)(fail_with(error))()

    run = get_run()
    assert sentence in run.error
    assert "secret" not in run.error
    assert not run.is_running


def test_lock_of_a_killed_worker_is_gone_within_a_minute(broker: Redis):
    """And the run shows as one that has no end."""
    killed = Running(NAME, broker)
    killed.begin()
    killed._ended.set()  # Nobody renews it.

    assert 0 < get_left_ms(broker) <= LOCK_S * 1000 < 60_000
    broker.delete(LOCK)

    assert (get_run().is_running, get_run().ended_at) == (False, None)
    assert alone(NAME)(lambda: "done")() == "done"


def test_lock_lives_as_long_as_the_run(broker: Redis, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runs, "RENEW_S", 0.01)

    @alone(NAME)
    def work() -> bool:
        broker.pexpire(LOCK, 5_000)
        return until(lambda: get_left_ms(broker) > 5_000, what="another term")

    assert work()


@pytest.mark.fault
def test_work_is_done_without_a_broker(valkey: Valkey):
    valkey.kill()
    try:
        done = alone(NAME)(lambda: "done")()
        known = get_runs([NAME])
    finally:
        valkey.start()

    assert (done, known) == ("done", {})


@pytest.mark.django_db
@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_each_task_of_the_timetable_runs_alone(entry: Entry, broker: Redis):
    other = Running(entry.name, broker)
    assert other.begin()
    began = get_run(entry.name).began_at

    result = entry.task.apply()

    assert (result.state, result.result) == ("SUCCESS", None)
    assert get_run(entry.name).began_at == began
    assert get_run(entry.name).is_running
    other.end("")


@pytest.mark.django_db
def test_run_that_the_schedule_asked_for_is_told_from_a_persons():
    [sweep] = [entry for entry in TIMETABLE if entry.name == "sweep-scans"]

    sweep.task.apply(headers={"periodic_task_name": "Mine"})
    sent = get_run("sweep-scans")
    sweep.task.apply()
    by_hand = get_run("sweep-scans")

    assert sent.sent_at == {"Mine": sent.began_at}
    assert by_hand.sent_at == sent.sent_at
    assert by_hand.began_at > sent.began_at
