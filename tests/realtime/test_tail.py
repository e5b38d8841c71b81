from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from queue import Queue

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from realtime import publishing
from realtime.history import get_layer, send_to_group
from realtime.publishing import flush, publish
from realtime.tailing import Happening, Tail, read_event
from realtime.terminal import describe, encode, make_printer
from tests.realtime.conftest import configure_layer
from tests.realtime.lab import BenchRoom, LabDone, LabProgress, LabRoom
from tests.servers import Valkey

TIMEOUT_S = 20


def make_happening(**fields) -> Happening:
    frame = {"type": "lab_done", "timestamp": "t", "data": {"lab_id": 1}, "room": "lab"}
    made = Happening("lab", "e1", 3, "event", datetime(2026, 1, 2, tzinfo=UTC), frame)
    return made._replace(**fields)


@pytest.fixture
def own_broker(settings):
    """One that may be killed without ending what other tests listen to."""
    server = Valkey().start()
    configure_layer(settings, server, prefix="lab")
    yield server
    publishing.stop()
    server.remove()


class Tailing:
    """The command in a process of its own."""

    def __init__(
        self, broker: Valkey, *arguments: str, stdout: int = subprocess.PIPE
    ) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.realtime.project",
            "LAB_BROKER": broker.url,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "realtime_tail", *arguments],
            env=environment,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: dict[str, Queue[str]] = {"stdout": Queue(), "stderr": Queue()}
        for name in self.lines if stdout == subprocess.PIPE else ("stderr",):
            self.reader = threading.Thread(target=self._read, args=(name,), daemon=True)
            self.reader.start()

    def _read(self, name: str) -> None:
        for line in getattr(self.process, name):
            self.lines[name].put(line.rstrip("\n"))

    def get(self, name: str = "stdout") -> str:
        return self.lines[name].get(timeout=TIMEOUT_S)

    def close(self) -> None:
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def tailing(broker: Valkey, *arguments: str):
    tail = Tailing(broker, *arguments)
    try:
        assert tail.get("stderr").startswith("Listening to ")
        yield tail
    finally:
        tail.process.kill()
        tail.process.wait()
        tail.close()


def test_everything_is_printed_as_json(own_broker):
    with tailing(own_broker, "--json") as tail:
        publish(
            LabRoom(),
            LabProgress(lab_id=7, percent=1.5, eta_seconds=None, folder="Ōkami"),
        )
        publish(BenchRoom(key="a"), LabDone(lab_id=7))
        flush(timeout_s=5)
        first, second = sorted(
            (json.loads(tail.get()) for _ in range(2)),
            key=lambda each: each["type"],
            reverse=True,
        )

        assert tail.end() == 130

    assert (first["type"], first["room"], first["seq"], first["kind"]) == (
        "lab_progress",
        "lab",
        1,
        "state",
    )
    assert first["data"]["folder"] == "Ōkami"
    assert first["epoch"]
    assert (second["room"], second["kind"]) == ("bench:a", "event")


def test_broker_may_go_and_come_back(own_broker):
    with tailing(own_broker, "--json") as tail:
        own_broker.kill()
        assert tail.get("stderr").startswith("The broker does not answer, waiting")
        own_broker.start()
        assert tail.get("stderr").startswith("The broker answers again")

        publish(LabRoom(), LabDone(lab_id=8))

        assert json.loads(tail.get())["data"] == {"lab_id": 8}


def test_reader_that_has_seen_enough_ends_it(own_broker):
    reading, writing = os.pipe()
    tail = Tailing(own_broker, "--json", stdout=writing)
    os.close(writing)
    assert tail.get("stderr") == "Listening to all rooms."
    os.close(reading)

    publish(LabRoom(), LabDone(lab_id=8))

    assert tail.process.wait(TIMEOUT_S) == 0
    tail.reader.join(TIMEOUT_S)
    assert tail.lines["stderr"].empty()
    tail.close()


def test_rooms_are_chosen_by_name_or_beginning(own_broker):
    told: list[str] = []
    tail = Tail(["bench:*"], tell=told.append)
    tail.open()
    for room in (LabRoom(), BenchRoom(key="a")):
        publish(room, LabDone(lab_id=1))
        flush(timeout_s=5)

    found = next(tail.listen())

    assert (found.room, found.seq) == ("bench:a", 1)
    assert told == ["Listening to bench:*."]
    tail.close()


def test_what_anybody_else_publishes_is_survived(own_broker):
    told: list[str] = []
    tail = Tail([], tell=told.append)
    tail.open()
    group = "lab__group__room.lab"
    with Redis.from_url(own_broker.url) as client:
        for garbage in (b"", b"\xc1", b"\x93\x01\x02\x03"):
            client.publish(group, garbage)
        for event in (
            {"type": "room.frames", "batches": [["lab"]], "at": 1},
            {
                "type": "room.frames",
                "batches": [["lab", "e", 1, [["e", '{"']]]],
                "at": 1,
            },
            {
                "type": "room.frames",
                "batches": [["lab", "e", 1, [["?", '{"a":1']]]],
                "at": 1,
            },
            {"type": "room.frames", "batches": [], "at": float("inf")},
            {"type": "room.probe", "nonce": "x"},
        ):
            client.publish(group, get_layer().serialize(event))
    send_to_group(
        "realtime.control", {"type": "room.recheck", "user_key": "*"}, timeout_s=1
    )
    publish(LabRoom(), LabDone(lab_id=2))

    assert next(tail.listen()).frame["data"] == {"lab_id": 2}
    assert len([line for line in told if line.startswith("Something came")]) == 7
    tail.close()


def test_prefix_with_signs_of_a_pattern_is_taken_as_it_is(own_broker, settings):
    configure_layer(settings, own_broker, prefix="l[a]b*")
    tail = Tail([], tell=lambda line: None)
    tail.open()
    publish(LabRoom(), LabDone(lab_id=2))

    assert next(tail.listen()).room == "lab"
    tail.close()


@pytest.mark.parametrize("room", ["nowhere", "no such room", "x" * 1000, "\x1b[31m"])
def test_unknown_room_is_a_sentence(room):
    with pytest.raises(CommandError, match="No room is called"):
        call_command("realtime_tail", room)


def test_broker_that_is_away_is_a_sentence(settings):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": "unix:///nowhere"}]},
        }
    }
    with pytest.raises(CommandError, match="The broker does not answer"):
        call_command("realtime_tail")


def test_layer_without_a_broker_is_a_sentence(settings):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    }
    with pytest.raises(CommandError, match=r"must be channels_redis\.pubsub"):
        call_command("realtime_tail")


def test_number_of_each_message_is_counted_back_from_the_last():
    body = '{"type":"lab_done","data":{}'
    event = {
        "at": 0,
        "batches": [["lab", "e1", 9, [["s", body], ["u", body], ["x:1", body]]]],
    }

    found = list(read_event(event))

    assert [(each.seq, each.kind) for each in found] == [
        (7, "state"),
        (8, "state"),
        (9, "end"),
    ]


def test_line_holds_nothing_that_a_terminal_obeys():
    frame = {
        "type": "lab_done",
        "data": {"folder": "\x1b]0;owned\x07\n\u202eexe.txt\udc80"},
    }
    happening = make_happening(frame=frame)

    line = " ".join(describe(happening))

    assert line.isprintable()
    assert encode(happening).isascii()
    assert "\n" not in encode(happening)


@pytest.mark.parametrize("has_rich", [True, False])
def test_line_is_the_same_with_and_without_rich(monkeypatch, has_rich):
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    out = StringIO()

    make_printer(out, is_json=False)(
        make_happening(frame={"type": "lab_done", "data": {"name": "[bold]x[/]" * 30}})
    )

    (line,) = out.getvalue().splitlines()
    assert line.split(" ", 1)[1] == f'lab 3 lab_done name="{"[bold]x[/]" * 30}"'
