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
from realtime.publishing import Sender, apublish, flush, publish
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


async def test_what_piles_up_for_a_room_is_one_event(layer, monkeypatch):
    events = []

    async def group_send(group, event):
        events.append((group, event))

    monkeypatch.setattr(layer, "group_send", group_send, raising=False)
    sender = Sender()
    with sender._changed:
        for number in range(100):
            sender.put(LabRoom(), str(number))
            sender.put(BenchRoom(key="a"), str(number))
    assert await asyncio.to_thread(sender.flush, 5)
    await asyncio.to_thread(sender.stop, 5)

    frames = [str(number) for number in range(100)]
    assert events == [
        (LabRoom().group, {"type": "room.frames", "room": "lab", "frames": frames}),
        (
            BenchRoom(key="a").group,
            {"type": "room.frames", "room": "bench:a", "frames": frames},
        ),
    ]


async def test_events_are_bounded_in_size(layer, monkeypatch):
    sizes = []

    async def group_send(group, event):
        sizes.append(sum(map(len, event["frames"])))

    monkeypatch.setattr(layer, "group_send", group_send, raising=False)
    sender = Sender()
    with sender._changed:
        for _ in range(100):
            sender.put(LabRoom(), "x" * 10_000)
        sender.put(LabRoom(), "y" * 1_000_000)
    assert await asyncio.to_thread(sender.flush, 5)
    await asyncio.to_thread(sender.stop, 5)

    assert sum(sizes) == 2_000_000
    assert sizes[-1] == 1_000_000
    assert max(sizes[:-1]) <= publishing.MAX_EVENT_CHARS


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


def test_broker_that_is_away_costs_one_line_in_the_log_and_nothing_else(
    settings, caplog
):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["unix:///nowhere"]},
        }
    }
    sender = Sender()

    for _ in range(50):
        sender.put(LabRoom(), "frame")
        assert sender.flush(30)
    sender.stop(5)

    assert [
        record.getMessage().split("(")[0]
        for record in caplog.records
        if record.name == "realtime.publishing"
    ] == [
        "Live updates are paused, messages are dropped until the channel layer answers "
    ]


def test_missing_layer_is_an_outage_too(settings, caplog):
    settings.CHANNEL_LAYERS = {}
    sender = Sender()

    sender.put(LabRoom(), "frame")

    assert sender.flush(5)
    assert "Live updates are paused" in caplog.text
    sender.stop(5)


def test_end_of_an_outage_is_logged_with_what_was_dropped(sync_layer, settings, caplog):
    good = settings.CHANNEL_LAYERS
    sender = Sender()
    settings.CHANNEL_LAYERS = {}
    for _ in range(3):
        sender.put(LabRoom(), "frame")
    sender.flush(5)

    settings.CHANNEL_LAYERS = good
    sender.put(LabRoom(), "frame")
    sender.flush(5)
    sender.stop(5)

    assert "go out again; 3 messages were dropped" in caplog.text


def test_queue_is_bounded(settings, monkeypatch, caplog):
    monkeypatch.setattr(publishing, "MAX_WAITING", 10)
    settings.CHANNEL_LAYERS = {}
    sender = Sender()

    with sender._changed:
        for _ in range(100):
            sender.put(LabRoom(), "frame")
        assert sender._count == 10

    assert sender.flush(5)
    sender.stop(5)


def test_stop_sends_what_waits_and_the_next_message_starts_anew(sync_layer):
    sender = Sender()
    for _ in range(2):
        sender.put(LabRoom(), "frame")
        sender.stop(5)
        assert sender._thread is None
        assert sender._count == 0


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
