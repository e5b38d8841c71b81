"""`/ping` and `/health`: open to monitors, and as bad as the worst of what the site needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from aniworld_site.worker import Heartbeat, is_worker_alive
from tests.running import until
from tests.servers import Valkey

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Iterator[None]:
    heartbeat = Heartbeat()
    heartbeat.start()
    until(is_worker_alive, what="a worker's sign of life")
    yield
    heartbeat.stop()


def test_ping_answers_strangers(client: Client):
    answer = client.get("/ping")

    assert answer.status_code == 200
    assert answer.json() == {"status": "OK"}


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_only_reading_is_answered(client: Client, path: str):
    assert client.head(path).status_code in {200, 503}
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_the_answer_is_not_kept(client: Client, path: str):
    assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.usefixtures("worker")
def test_health_is_well_when_all_are(client: Client):
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "OK",
        "checks": {"database": "OK", "broker": "OK", "worker": "OK"},
    }


def test_health_is_bad_without_a_worker(client: Client):
    # On a machine that is very busy the key of a worker that ended stays until it expires.
    until(lambda: not is_worker_alive(), what="the end of earlier workers' keys")

    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "bad",
        "checks": {"database": "OK", "broker": "OK", "worker": "bad"},
    }


@pytest.mark.usefixtures("worker")
def test_health_is_bad_without_its_database_and_says_no_more(client: Client):
    def away(*_args: Any) -> None:
        raise OperationalError("no password for 192.0.2.1")

    with connection.execute_wrapper(away):
        answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "bad"
    assert b"192.0.2.1" not in answer.content


@pytest.mark.fault
def test_health_is_bad_without_its_broker_and_soon(client: Client, valkey: Valkey):
    valkey.kill()
    began = time.monotonic()
    try:
        answer = client.get("/health")
    finally:
        valkey.start()

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "OK",
        "broker": "bad",
        "worker": "bad",
    }
    assert time.monotonic() - began < 3
