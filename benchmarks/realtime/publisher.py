"""Publishing from synchronous code, as a worker or a command does: a process of its own for each measurement.

python -m benchmarks.realtime.publisher {ours-daphne,stock-pubsub} COUNT
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from benchmarks.realtime.servers.common import (
    EVENT,
    Order,
    make_message,
    make_pad,
)

if TYPE_CHECKING:
    from benchmarks.realtime.measuring import Size
    from benchmarks.realtime.peers import Peer
    from benchmarks.realtime.running import Bench, Figures

ONE_BY_ONE, BULK = 2_000, 20_000
STOCK_COUNT = 1_000


def measure_publishing(bench: Bench, peer: Peer, size: Size) -> Figures:
    """Run this module for a peer, on the servers' core."""
    command = [sys.executable, "-m", __name__, peer.name, str(size.count(BULK))]
    output = subprocess.run(
        ["taskset", "-c", str(bench.server_core), *command],
        env=bench.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return cast("Figures", json.loads(output.splitlines()[-1]))


def rate(
    count: int, publish: Callable[[int], None], finish: Callable[[], None]
) -> float:
    """Return how many a second went out, all of them included."""
    started = time.perf_counter()
    for number in range(count):
        publish(number)
    finish()
    return count / (time.perf_counter() - started)


def measure_ours(bulk: int) -> Figures:
    from benchmarks.realtime.project.messages import BenchEvent
    from benchmarks.realtime.project.rooms import BenchRoom
    from realtime.publishing import flush, publish

    room, pad = BenchRoom(), make_pad(EVENT, time.monotonic_ns(), 1)

    def put(number: int) -> None:
        publish(room, BenchEvent(t=time.monotonic_ns(), n=number, pad=pad))

    def put_and_wait(number: int) -> None:
        put(number)
        if not flush(timeout_s=5):
            raise RuntimeError("The broker does not take what is published.")

    def finish() -> None:
        if not flush(timeout_s=60):
            raise RuntimeError("The broker does not take what is published.")

    rate(100, put_and_wait, finish)
    one = rate(min(ONE_BY_ONE, bulk), put_and_wait, finish)
    started = time.perf_counter()
    called = 0.0

    def note() -> None:
        nonlocal called
        called = time.perf_counter() - started
        finish()

    in_bulk = rate(bulk, put, note)
    return {
        "one_per_s": one,
        "bulk_per_s": in_bulk,
        "call_us": called * 1e6 / bulk,
    }


def measure_stock() -> Figures:
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer

    def put(number: int) -> None:
        # As documented: the layer is looked up, and the call wrapped, each time.
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("There is no channel layer.")
        message = make_message(Order(EVENT, 0, number, 1, time.monotonic_ns()), number)
        async_to_sync(layer.group_send)(
            "chat_0", {"type": "chat.message", "message": message}
        )

    rate(50, put, lambda: None)
    one = rate(STOCK_COUNT, put, lambda: None)
    return {"one_per_s": one, "bulk_per_s": one, "call_us": 1e6 / one}


def main() -> None:
    import django

    django.setup()
    name, bulk = sys.argv[1], int(sys.argv[2])
    figures = measure_ours(bulk) if name.startswith("ours") else measure_stock()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
