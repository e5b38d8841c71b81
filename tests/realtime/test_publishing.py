from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from realtime import publishing
from realtime.publishing import apublish, begin_anew, flush, publish
from realtime.testing import connect, published
from tests.realtime.lab import (
    BenchRoom,
    LabDone,
    LabProgress,
    LabRoom,
    make_application,
    make_visitor,
)

DONE = LabDone(lab_id=1)


def progress(lab_id: int, percent: float) -> LabProgress:
    return LabProgress(lab_id=lab_id, percent=percent, eta_seconds=None)


def test_message_goes_out_at_once_outside_a_transaction():
    with published() as publications:
        publish(LabRoom(), DONE)

        assert publications == [("lab", DONE)]


@pytest.mark.django_db(transaction=True)
def test_message_goes_out_once_after_commit():
    with published() as publications:
        with transaction.atomic():
            with transaction.atomic():
                publish(LabRoom(), DONE)
            assert publications == []

        assert publications == [("lab", DONE)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_nested", [True, False])
def test_message_of_a_transaction_that_rolls_back_never_goes_out(is_nested):
    def fail() -> None:
        with transaction.atomic():
            publish(LabRoom(), DONE)
            raise ZeroDivisionError

    with published() as publications:
        if is_nested:
            with transaction.atomic(), pytest.raises(ZeroDivisionError):
                fail()
        else:
            with pytest.raises(ZeroDivisionError):
                fail()

        assert publications == []


@pytest.mark.django_db(transaction=True)
def test_coroutine_inside_a_transaction_waits_for_its_commit():
    with published() as publications:
        with transaction.atomic():
            async_to_sync(apublish)(LabRoom(), DONE)
            assert publications == []

        assert publications == [("lab", DONE)]


def test_publishing_opens_no_database_connection():
    """pytest-django forbids the database to this test."""
    with published() as publications:
        thread = threading.Thread(target=publish, args=(LabRoom(), DONE))
        thread.start()
        thread.join()

        assert publications == [("lab", DONE)]


def test_message_that_the_room_does_not_list_is_dropped_and_logged(caplog):
    with published() as publications:
        publish(BenchRoom(key="a"), LabProgress(lab_id=1, percent=0, eta_seconds=None))

    assert publications == []
    assert "<BenchRoom bench:a> takes LabDone, got LabProgress." in caplog.text


def test_nothing_that_goes_wrong_reaches_the_caller(caplog):
    def break_down(publication):
        raise RuntimeError("observer")

    forget = publishing.observe(break_down)
    publish(LabRoom(), DONE)
    forget()

    assert "observer" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_failure_after_commit_does_not_reach_the_caller_either(caplog):
    def break_down(publication):
        raise RuntimeError("observer")

    forget = publishing.observe(break_down)
    with transaction.atomic():
        publish(LabRoom(), DONE)
    forget()

    assert "observer" in caplog.text


async def test_order_is_kept_through_batching(connection):
    await connection.join("lab")

    for number in range(2_000):
        publish(LabRoom(), LabDone(lab_id=number))
    await connection.expect("lab_done", lab_id=1_999)

    assert [
        frame["data"]["lab_id"]
        for frame in connection.frames
        if frame["type"] == "lab_done"
    ] == list(range(2_000))


async def test_everybody_is_put_into_a_room_that_begins_anew(connection):
    joined = await connection.join("lab")

    begin_anew(LabRoom())
    anew = await connection.expect("joined", room="lab")
    publish(LabRoom(), LabDone(lab_id=1))
    await connection.expect("lab_done", lab_id=1)

    assert "ref" not in anew
    assert anew["data"]["epoch"] != joined["data"]["epoch"]


async def test_threads_and_coroutines_reach_the_same_room(connection):
    await connection.join("lab")

    threads = [
        threading.Thread(target=publish, args=(LabRoom(), LabDone(lab_id=number)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    await apublish(LabRoom(), LabDone(lab_id=8))
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert await asyncio.to_thread(flush, timeout_s=5)
    await connection.join("bench:a")
    publish(BenchRoom(key="a"), LabDone(lab_id=99))
    await connection.expect("lab_done", lab_id=99)

    assert {
        frame["data"]["lab_id"]
        for frame in connection.frames
        if frame["type"] == "lab_done"
    } == {*range(9), 99}


@pytest.mark.django_db(transaction=True)
def test_of_several_states_of_an_entity_in_a_transaction_the_last_is_sent():
    with published() as publications, transaction.atomic():
        for percent in (1, 2, 3):
            publish(LabRoom(), progress(1, percent))
            publish(LabRoom(), progress(2, percent))
            publish(LabRoom(), LabDone(lab_id=percent))

    sent = [message for _, message in publications]
    assert sent == [
        LabDone(lab_id=1),
        LabDone(lab_id=2),
        progress(1, 3),
        progress(2, 3),
        LabDone(lab_id=3),
    ]


@pytest.mark.django_db(transaction=True)
def test_older_state_stays_where_the_newer_one_is_rolled_back():
    def fail() -> None:
        with transaction.atomic():
            publish(LabRoom(), progress(1, 2))
            raise ZeroDivisionError

    with published() as publications, transaction.atomic():
        publish(LabRoom(), progress(1, 1))
        with pytest.raises(ZeroDivisionError):
            fail()

    assert [message for _, message in publications] == [progress(1, 1)]


@pytest.mark.django_db(transaction=True)
def test_state_of_a_savepoint_that_is_over_is_replaced():
    with published() as publications, transaction.atomic():
        with transaction.atomic():
            publish(LabRoom(), progress(1, 1))
        publish(LabRoom(), progress(1, 2))

    assert [message for _, message in publications] == [progress(1, 2)]


async def test_forked_child_publishes_by_a_thread_of_its_own(layer, settings, tmp_path):
    """In a process of its own, since forking one with threads is what the test is about."""
    script = """
import os, sys, warnings, django
warnings.simplefilter("ignore", DeprecationWarning)
django.setup()
from realtime.publishing import publish, flush
from tests.realtime.lab import LabDone, LabRoom
publish(LabRoom(), LabDone(lab_id=1))
assert flush(timeout_s=5)
pid = os.fork()
publish(LabRoom(), LabDone(lab_id=2 if pid else 3))
assert flush(timeout_s=5)
if pid:
    sys.exit(os.waitpid(pid, 0)[1])
"""
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    settings.CHANNEL_LAYERS = {
        "default": {
            **settings.CHANNEL_LAYERS["default"],
            "CONFIG": {**config, "prefix": "lab"},
        }
    }
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
        "LAB_BROKER": config["hosts"][0]["address"],
    }
    async with await connect(make_application(make_visitor())) as connection:
        await connection.join("lab")

        run = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
        )
        received = (
            [(await connection.expect("lab_done"))["data"]["lab_id"] for _ in range(3)]
            if run.returncode == 0
            else []
        )

    assert run.returncode == 0, run.stderr
    assert sorted(received) == [1, 2, 3]


async def test_process_that_just_ends_has_sent_everything(layer, settings):
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    settings.CHANNEL_LAYERS = {
        "default": {
            **settings.CHANNEL_LAYERS["default"],
            "CONFIG": {**config, "prefix": "lab"},
        }
    }
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
        "LAB_BROKER": config["hosts"][0]["address"],
    }
    script = """
import django
django.setup()
from realtime.publishing import publish
from tests.realtime.lab import LabDone, LabRoom
for number in range(200):
    publish(LabRoom(), LabDone(lab_id=number))
"""
    async with await connect(make_application(make_visitor())) as connection:
        await connection.join("lab")

        run = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
        )

        assert (run.returncode, run.stderr) == (0, "")
        await connection.expect("lab_done", lab_id=199)
