from __future__ import annotations

from realtime.limits import Seats, TokenBuckets


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_bucket_gives_its_burst_then_its_rate():
    clock = Clock()
    buckets = TokenBuckets(clock=clock)

    assert [buckets.take("mia", per_s=20, burst=40) for _ in range(41)] == [0] * 40 + [
        50
    ]
    clock.now = 0.02
    assert buckets.take("mia", per_s=20, burst=40) == 30
    clock.now = 0.05
    assert buckets.take("mia", per_s=20, burst=40) == 0


def test_bucket_never_holds_more_than_its_burst():
    clock = Clock()
    buckets = TokenBuckets(clock=clock)
    buckets.take("mia", per_s=20, burst=2)

    clock.now = 3600

    assert [buckets.take("mia", per_s=20, burst=2) for _ in range(3)] == [0, 0, 50]


def test_keys_have_buckets_of_their_own_and_full_ones_are_forgotten():
    clock = Clock()
    buckets = TokenBuckets(clock=clock)
    for number in range(1_000):
        assert buckets.take(str(number), per_s=20, burst=40) == 0

    clock.now = 60
    buckets.take("mia", per_s=20, burst=40)

    assert len(buckets) == 1


def test_seats_are_counted_by_key_and_given_back():
    seats = Seats()
    assert [seats.take("mia", limit=2) for _ in range(3)] == [True, True, False]
    assert seats.take("ben", limit=2)

    seats.give_back("mia")

    assert seats.take("mia", limit=2)
    for key in ("mia", "mia", "ben"):
        seats.give_back(key)
    assert len(seats) == 0
