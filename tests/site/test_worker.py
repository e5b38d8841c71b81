"""The worker's sign of life in the broker."""

from __future__ import annotations

import signal
import time

import pytest

from aniworld_site.worker import EXPIRES_S, Heartbeat, is_broker_alive, is_worker_alive
from tests.running import until
from tests.servers import Valkey


def test_a_worker_is_alive_from_its_start_to_its_end():
    # On a machine that is very busy the key of one that ended stays until it expires.
    until(lambda: not is_worker_alive(), what="the end of earlier workers' keys")
    heartbeat = Heartbeat()
    heartbeat.start()
    until(is_worker_alive, what="a sign of life")

    heartbeat.stop()

    until(
        lambda: not is_worker_alive(),
        timeout_s=EXPIRES_S - 2,
        what="its key's deletion",
    )


def test_one_that_never_started_can_be_stopped():
    Heartbeat().stop()


@pytest.mark.fault
def test_a_worker_outlives_its_broker(valkey: Valkey):
    heartbeat = Heartbeat()
    heartbeat.start()
    until(is_worker_alive, what="a sign of life")
    try:
        valkey.kill()
        assert not is_worker_alive()
        valkey.forget()
        valkey.start()

        until(is_worker_alive, what="a sign of life after the broker's return")
    finally:
        heartbeat.stop()


@pytest.mark.fault
def test_a_broker_that_hangs_is_not_waited_for(valkey: Valkey):
    assert valkey.process is not None
    valkey.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        answers = is_broker_alive(), is_worker_alive()
    finally:
        valkey.process.send_signal(signal.SIGCONT)

    assert answers == (False, False)
    assert time.monotonic() - began < 4
