from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from realtime import keys
from realtime.issuing import make_key, revoke_keys
from realtime.keys import WrongKeys, make_secret
from realtime.queries import run_query
from realtime.testing import connect
from tests.realtime.lab import make_application, make_visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_guessed(monkeypatch):
    monkeypatch.setattr(keys, "wrong_keys", WrongKeys())


def make_user(*codenames: str) -> User:
    user = User.objects.create_user("mia")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def make_headers(*scopes: str) -> dict[str, str]:
    _, key = make_key(make_user(), "Prometheus", scopes)
    return {"Authorization": f"Bearer {key}"}


def read_value(text: str, name: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    assert len(lines) == 1
    return float(lines[0].split()[1])


def test_user_with_the_permission_reads_the_numbers(client):
    client.force_login(make_user("view_metrics"))

    response = client.get("/metrics")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-cache" in response["Cache-Control"]
    assert "# TYPE realtime_published_total counter" in response.text
    assert client.head("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_key_with_the_scope_reads_the_numbers(client, header):
    key = make_headers("metrics")["Authorization"]
    value = key if header == "Authorization" else key.removeprefix("Bearer ")

    assert client.get("/metrics", headers={header: value}).status_code == 200


def test_stranger_is_told_what_is_missing(client):
    response = client.get("/metrics")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.text == (
        "Log in, or send a key with the scope metrics, as Authorization: Bearer KEY.\n"
    )


def test_user_without_the_permission_is_refused(client):
    client.force_login(make_user("view_activity", "view_apikey"))

    response = client.get("/metrics")

    assert (response.status_code, response.text) == (
        403,
        "This takes the permission realtime.view_metrics.\n",
    )


def test_key_without_the_scope_is_refused(client):
    response = client.get("/metrics", headers=make_headers("*", "lab"))

    assert response.status_code == 403
    assert response.text == "This takes a key with the scope metrics.\n"


@pytest.mark.parametrize(
    "value", ["Bearer rtk_", "Bearer rtk_\x00\xff", "Bearer rtk_" + "a" * 100_000]
)
def test_garbage_is_refused_even_with_a_session(client, value):
    client.force_login(make_user("view_metrics"))

    assert client.get("/metrics", headers={"Authorization": value}).status_code == 401


def test_revoked_key_is_refused(client):
    row, key = make_key(make_user(), "Prometheus", ["metrics"])
    revoke_keys([row])

    assert client.get("/metrics", headers={"X-Api-Key": key}).status_code == 401


def test_key_in_the_address_is_none(client):
    key = make_headers("metrics")["Authorization"]

    assert client.get("/metrics", {"key": key, "token": key}).status_code == 401


def test_guesser_has_to_wait(client):
    statuses = [
        client.get("/metrics", headers={"X-Api-Key": make_secret()}) for _ in range(15)
    ]

    assert statuses[0].status_code == 401
    assert statuses[-1].status_code == 429
    assert 1 <= int(statuses[-1]["Retry-After"]) <= 6


def test_other_verbs_are_refused(client):
    assert client.post("/metrics").status_code == 405


@pytest.mark.django_db(transaction=True)
async def test_gauges_are_those_of_this_moment(layer):
    client = Client()
    headers = await run_query(make_headers, "metrics")
    async with await connect(make_application(make_visitor())) as connection:
        await connection.join("lab")
        await connection.join("bench:1")

        response = await run_query(client.get, "/metrics", headers=headers)

    assert read_value(response.text, "realtime_rooms") == 2
    assert read_value(response.text, "realtime_outbox_bytes") == 0


def test_numbers_of_all_processes_where_prometheus_has_a_folder(tmp_path):
    """The numbers that one process counts are in what another answers."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    count = "import django; django.setup(); from realtime.metrics import PUBLISHED; PUBLISHED.inc(7)"
    answer = "import django; django.setup(); from realtime.views import _get_registry; from prometheus_client import generate_latest; print(generate_latest(_get_registry()).decode())"

    for script in (count, answer):
        run = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    assert read_value(run.stdout, "realtime_published_total") == 7
