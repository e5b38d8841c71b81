"""Spans of time in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aniworld_site.wording import describe_rhythm, describe_time


@pytest.mark.parametrize(
    ("every", "words"),
    [
        (timedelta(seconds=1), "every second"),
        (timedelta(seconds=5), "every 5 seconds"),
        (timedelta(seconds=60), "every minute"),
        (timedelta(minutes=90), "every 90 minutes"),
        (timedelta(hours=24), "every day"),
        (timedelta(days=7), "every 7 days"),
        (timedelta(microseconds=500_000), "every 0.5 seconds"),
        (timedelta(0), "every 0 seconds"),
    ],
)
def test_rhythm_is_told_in_the_largest_unit_that_fits(every: timedelta, words: str):
    assert describe_rhythm(every) == words


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        (timedelta(seconds=0.04), "0.0 s"),
        (timedelta(seconds=9.94), "9.9 s"),
        (timedelta(seconds=59.4), "59 s"),
        (timedelta(seconds=59.6), "1 min 0 s"),
        (timedelta(minutes=75, seconds=3), "75 min 3 s"),
        (timedelta(seconds=-2), "0.0 s"),
    ],
)
def test_time_is_told_as_precisely_as_a_person_wants_it(taken: timedelta, words: str):
    """Of two clocks one may be behind."""
    assert describe_time(taken).replace("\xa0", " ") == words
