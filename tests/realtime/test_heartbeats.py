from __future__ import annotations

import asyncio

from realtime.heartbeats import Heartbeat


class Recorder:
    def __init__(self, *, beats_answered: int) -> None:
        self.beats = 0
        self.silences = 0
        self.is_over = asyncio.Event()
        self.beats_answered = beats_answered
        self.heartbeat = Heartbeat(
            interval_s=0.02,
            timeout_s=0.01,
            on_beat=self.beat,
            on_silence=self.be_silent,
        )

    def beat(self):
        self.beats += 1
        if self.beats <= self.beats_answered:
            self.heartbeat.heard()

    def be_silent(self):
        self.silences += 1
        self.is_over.set()


async def test_silence_is_reported_once_after_the_beat_that_nobody_answered():
    recorder = Recorder(beats_answered=3)

    await recorder.is_over.wait()

    assert (recorder.beats, recorder.silences) == (4, 1)


async def test_what_was_heard_before_a_beat_does_not_answer_it():
    recorder = Recorder(beats_answered=0)
    recorder.heartbeat.heard()

    await recorder.is_over.wait()

    assert recorder.beats == 1


async def test_stopped_heart_leaves_no_timer():
    recorder = Recorder(beats_answered=0)

    recorder.heartbeat.stop()

    assert recorder.heartbeat._timer.cancelled()
