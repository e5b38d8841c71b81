"""`manage.py runserver`, for whoever changes the code."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from aniworld_site import valkey
from tests.running import RunningSite, until

pytestmark = pytest.mark.fault


@pytest.fixture
def place() -> Iterator[RunningSite]:
    place = RunningSite(environment={"ANIWORLD_DEBUG": "1"})
    yield place
    place.remove()


@pytest.mark.parametrize("options", [(), ("--noreload",)])
def test_it_brings_the_broker_and_takes_it_away(
    place: RunningSite, options: tuple[str, ...]
):
    place.manage("migrate", "--verbosity", "0")
    command = place.popen("runserver", str(place.port), *options)
    try:
        until(lambda: place.get("/ping")[0] == 200, timeout_s=60, what="a page")
        assert place.health()["broker"] == "OK"

        command.send_signal(signal.SIGINT)
        command.communicate(timeout=20)
    finally:
        if command.poll() is None:
            command.kill()
            command.communicate()

    until(
        lambda: not valkey.answers(valkey.socket_path(place.data)),
        what="the broker's end",
    )
    assert place.pids() == {}
