from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, cast

import pytest
from redis.exceptions import ResponseError

from realtime import sending
from realtime.history import SenderHistory
from realtime.messages import Message, encode_body
from realtime.rooms import Room
from realtime.sending import Sender
from tests.realtime.lab import (
    BenchRoom,
    LabDone,
    LabEnd,
    LabPaced,
    LabProgress,
    LabRoom,
)


@pytest.fixture
def sender(sync_layer):
    """A sender with a broker."""
    sender = Sender()
    yield sender
    sender.stop(5)


def put(sender: Sender, message: Message, room: Room | None = None) -> None:
    room = room or LabRoom()
    sender.put(room, message, encode_body(message, room=room.name))


def progress(lab_id: int, percent: float) -> LabProgress:
    return LabProgress(lab_id=lab_id, percent=percent, eta_seconds=None)


@contextmanager
def calls(sender: Sender, monkeypatch: Any, *, listeners: int = 1):
    """Keep what would be published, and the sender's thread from taking any before the block ends."""
    made: list[Any] = []

    def publish(self, groups):
        made.append(
            [
                (
                    group,
                    room.room,
                    [mark for mark, _ in room.messages],
                    room.begins_anew,
                )
                for group, rooms in groups.items()
                for room in rooms
            ]
        )
        return dict.fromkeys(groups, listeners)

    monkeypatch.setattr(SenderHistory, "publish", publish)
    with sender._changed:
        yield made
    assert sender.flush(5)


def marks(made: list[Any]) -> list[str]:
    return [mark for call in made for _, _, found, _ in call for mark in found]


def test_what_piles_up_is_one_call_by_group_and_room(sender, monkeypatch):
    with calls(sender, monkeypatch) as made:
        for _ in range(100):
            put(sender, LabDone(lab_id=1))
            put(sender, LabDone(lab_id=1), BenchRoom(key="a"))

    assert made == [
        [
            (LabRoom().group, "lab", ["e"] * 100, False),
            (BenchRoom(key="a").group, "bench:a", ["e"] * 100, False),
        ]
    ]


def test_calls_are_bounded_in_size(sender, monkeypatch):
    monkeypatch.setattr(sending, "MAX_BATCH_CHARS", 1_000)
    with calls(sender, monkeypatch) as made:
        for _ in range(20):
            put(sender, LabDone(lab_id=1))

    assert len(made) > 1
    assert marks(made) == ["e"] * 20


def test_message_larger_than_a_call_may_be_goes_alone(sender, monkeypatch):
    monkeypatch.setattr(sending, "MAX_BATCH_CHARS", 10)
    with calls(sender, monkeypatch) as made:
        put(sender, LabDone(lab_id=1))
        put(sender, LabDone(lab_id=2))

    assert [len(marks([call])) for call in made] == [1, 1]


def test_states_are_merged_only_when_much_waits(sender, monkeypatch):
    monkeypatch.setattr(sending, "MERGES_FROM", 4)
    with calls(sender, monkeypatch) as made:
        for percent in range(10):
            put(sender, progress(1, percent))
        put(sender, LabEnd(lab_id=1))

    assert marks(made) == ["slab:1"] * 5 + ["xlab:1"]


def test_queue_is_bounded_and_a_room_that_lost_something_begins_anew(
    sender, monkeypatch, caplog
):
    monkeypatch.setattr(sending, "MAX_WAITING", 10)
    with calls(sender, monkeypatch) as made:
        for _ in range(15):
            put(sender, LabDone(lab_id=1))
        assert sender._count == 10
    put(sender, LabDone(lab_id=1))
    assert sender.flush(5)

    assert [(len(call[0][2]), call[0][3]) for call in made] == [(10, True), (1, False)]
    assert "go out again; 5 messages were lost" in caplog.text


def test_room_begins_anew_with_what_waits_for_it_or_with_nothing(sender, monkeypatch):
    with calls(sender, monkeypatch) as made:
        sender.begin_anew(LabRoom())
        sender.begin_anew(BenchRoom(key="a"))
        put(sender, LabDone(lab_id=1))

    found = [(room, len(marks), anew) for _, room, marks, anew in made[0]]
    assert sorted(found) == [("bench:a", 0, True), ("lab", 1, True)]


def test_room_that_begins_anew_has_another_epoch_and_no_states(sender):
    put(sender, progress(1, 50))
    assert sender.flush(5)
    before = ask("hget", "lab", "get_meta", "e")

    sender.begin_anew(LabRoom())
    assert sender.flush(5)

    assert ask("hget", "lab", "get_meta", "e") != before
    assert ask("exists", "lab", "get_states") == 0


def test_paced_state_is_held_and_the_newest_goes_when_it_is_due(sender, monkeypatch):
    with calls(sender, monkeypatch) as made:
        for percent in range(5):
            put(sender, LabPaced(lab_id=1, percent=percent))
        put(sender, LabPaced(lab_id=2, percent=0))
        assert sender._count == 2

    assert marks(made) == ["slab:1", "slab:2", "slab:1"]


def test_event_is_never_ahead_of_the_state_before_it(sender, monkeypatch):
    with calls(sender, monkeypatch) as made:
        put(sender, LabPaced(lab_id=1, percent=1))
        put(sender, LabPaced(lab_id=1, percent=2))
        put(sender, LabEnd(lab_id=1))
        put(sender, LabPaced(lab_id=1, percent=0))

    assert marks(made) == ["slab:1", "slab:1", "xlab:1", "slab:1"]


def test_held_state_goes_by_itself(sender, monkeypatch):
    sent = threading.Event()
    seen: list[str] = []

    def publish(self, groups):
        for rooms in groups.values():
            for room in rooms:
                seen.extend(body for _, body in room.messages)
        if any('"percent":2.0' in body for body in seen):
            sent.set()
        return dict.fromkeys(groups, 1)

    monkeypatch.setattr(SenderHistory, "publish", publish)
    put(sender, LabPaced(lab_id=1, percent=1))
    put(sender, LabPaced(lab_id=1, percent=2))

    assert sent.wait(5)
    assert len(seen) == 2


def test_states_that_nobody_watches_go_once_a_second(sender, monkeypatch):
    room = LabRoom()
    with calls(sender, monkeypatch, listeners=0):
        put(sender, LabDone(lab_id=1))
    assert not sender.is_watched(room)

    with sender._changed:
        put(sender, LabPaced(lab_id=1, percent=1))
        put(sender, LabPaced(lab_id=1, percent=2))
        _, period_s = sender._pace._due["lab", "lab:1"]

    assert period_s == 1.0
    assert sender.is_watched(BenchRoom(key="a"))


def test_broker_that_is_away_costs_one_line_and_messages_go_when_it_returns(
    sync_layer, settings, caplog
):
    good = settings.CHANNEL_LAYERS
    settings.CHANNEL_LAYERS = {}
    sender = Sender()
    for number in range(50):
        put(sender, LabDone(lab_id=number))
    assert not sender.flush(0.2)

    settings.CHANNEL_LAYERS = good
    assert sender.flush(5)
    sender.stop(5)

    lines = [r.getMessage() for r in caplog.records if r.name == "realtime.sending"]
    assert lines[0].startswith("Live updates are paused, messages wait")
    assert lines[1:] == ["Live updates go out again; 0 messages were lost"]


def test_stop_ends_though_the_broker_is_away(settings):
    settings.CHANNEL_LAYERS = {}
    sender = Sender()
    put(sender, LabDone(lab_id=1))
    thread = sender._thread
    assert thread is not None

    sender.stop(0.2)
    thread.join(5)

    assert not thread.is_alive()


def test_answer_that_was_lost_is_not_published_twice(sender, sync_layer, monkeypatch):
    client_publish = SenderHistory.publish
    failures = iter([True, False])

    def publish(self, groups):
        numbers = dict(self._numbers)
        found = client_publish(self, groups)
        if next(failures, False):
            self._numbers = numbers
            raise ConnectionError("the answer is lost")
        return found

    monkeypatch.setattr(SenderHistory, "publish", publish)
    put(sender, LabDone(lab_id=1))
    put(sender, LabDone(lab_id=2), BenchRoom(key="a"))
    assert sender.flush(5)
    put(sender, LabDone(lab_id=3))
    assert sender.flush(5)

    history = SenderHistory(timeout_s=5)
    client, keys = cast(Any, history._connect())
    assert int(client.hget(keys.get_meta("lab"), "s")) == 2
    assert int(client.hget(keys.get_meta("bench:a"), "s")) == 1
    history.close()


@pytest.mark.parametrize(
    ("error", "attempts"), [("OOM no room", 3), ("WRONGTYPE never", 1)]
)
def test_refusal_that_may_pass_is_waited_for_and_another_is_given_up(
    sender, monkeypatch, error, attempts
):
    made = []

    def publish(self, groups):
        made.append(groups)
        if len(made) < 3:
            raise ResponseError(error)
        return dict.fromkeys(groups, 1)

    monkeypatch.setattr(SenderHistory, "publish", publish)
    put(sender, LabDone(lab_id=1))
    assert sender.flush(5)

    assert len(made) == attempts
    assert sender._torn == (set() if attempts == 3 else {"lab"})


def test_stop_sends_what_waits_and_the_next_message_starts_anew(sender):
    for _ in range(2):
        put(sender, LabDone(lab_id=1))
        sender.stop(5)
        assert sender._thread is None
        assert sender._count == 0


def ask(what: str, *arguments: Any) -> Any:
    """Ask the broker itself."""
    history = SenderHistory(timeout_s=5)
    client, keys = cast(Any, history._connect())
    room, *rest = arguments
    found = getattr(client, what)(getattr(keys, rest[0])(room), *rest[1:])
    history.close()
    return found


def test_message_after_a_permanent_refusal_goes_out_and_the_room_begins_anew(sender):
    """A real refusal: something else stands where the log belongs."""
    put(sender, LabDone(lab_id=1))
    assert sender.flush(5)
    before = ask("hget", "lab", "get_meta", "e")
    ask("delete", "lab", "get_log")
    ask("set", "lab", "get_log", "not a stream")
    put(sender, LabDone(lab_id=2))
    assert sender.flush(5)
    ask("delete", "lab", "get_log")

    put(sender, LabDone(lab_id=3))
    assert sender.flush(5)

    assert ask("xlen", "lab", "get_log") == 1
    assert ask("hget", "lab", "get_meta", "e") != before


def test_overflow_of_a_room_with_one_message_does_not_end_the_thread(
    sender, monkeypatch
):
    monkeypatch.setattr(sending, "MAX_WAITING", 8)
    with calls(sender, monkeypatch):
        for key in "aaaabbbbc":
            put(sender, LabDone(lab_id=1), BenchRoom(key=key))
        for _ in range(9):
            put(sender, LabDone(lab_id=1), BenchRoom(key="d"))

    put(sender, LabDone(lab_id=2))
    assert sender.flush(5)


def test_thread_that_ended_too_late_does_not_go_on_beside_the_next(sender, monkeypatch):
    released = threading.Event()

    def publish(self, groups):
        released.wait(5)
        raise ConnectionError("away")

    monkeypatch.setattr(SenderHistory, "publish", publish)
    put(sender, LabDone(lab_id=1))
    first = sender._thread
    assert first is not None
    sender.stop(0.1)
    put(sender, LabDone(lab_id=2))

    released.set()
    first.join(5)

    assert not first.is_alive()
    assert sender._thread is not first


def test_what_stop_gave_up_tears_its_room(sync_layer, settings):
    good = settings.CHANNEL_LAYERS
    sender = Sender()
    settings.CHANNEL_LAYERS = {}
    put(sender, LabDone(lab_id=1))
    thread = sender._thread
    assert thread is not None
    sender.stop(0.1)
    thread.join(5)

    assert sender._torn == {"lab"}
    settings.CHANNEL_LAYERS = good
