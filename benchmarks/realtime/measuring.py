"""How each scenario is measured: one peer, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from websockets.sync.client import connect
from websockets.typing import Origin

from benchmarks.realtime.peers import Peer
from benchmarks.realtime.running import HOST, Bench, Figures, Server

SLOW = ("stock-pubsub", "stock-core", "chanx")
QUICK_CONNECTIONS = 100


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    is_quick: bool = False

    def connections(self, full: int) -> int:
        return min(full, QUICK_CONNECTIONS) if self.is_quick else full

    def seconds(self, full: float) -> float:
        return min(full, 1) if self.is_quick else full

    def count(self, full: int) -> int:
        return full // 10 if self.is_quick else full


Run = Callable[[Bench, Peer, Size], Figures]


def _share(figures: Figures, *, servers: int = 1) -> Figures:
    """Return what all scenarios tell of a phase."""
    fast, slow = figures["fast"], figures["slow"]
    deliveries = fast["deliveries"] + slow["deliveries"]
    server_s, broker_s = sum(figures["cpu_s"][:servers]), figures["cpu_s"][servers]
    published = max(figures.get("published", 1), 1)
    return {
        "deliveries": deliveries,
        "cpu_us": server_s * 1e6 / max(deliveries, 1),
        "broker_us": broker_s * 1e6 / published,
        "per_frame": deliveries / max(fast["frames"] + slow["frames"], 1),
        "client_share": figures["client_cpu_s"] / figures["seconds"],
        "lost": fast["lost"],
        "doubled": fast["doubled"] + slow["doubled"],
        "gaps": fast["gaps"],
        "closes": figures["closes"],
        "resyncs": figures["resyncs"],
        "p50_ms": fast["p50_ms"],
        "p99_ms": fast["p99_ms"],
        "max_ms": fast["max_ms"],
    }


def fanout(bench: Bench, peer: Peer, size: Size, *, window: int = 16) -> Figures:
    with bench.load(peer) as load:
        load.phase("connect", count=size.connections(500))
        load.phase("idle", seconds=0.5)
        load.phase("closed", seconds=size.seconds(1), window=window)
        figures = load.phase("closed", seconds=size.seconds(5), window=window)
        return {**_share(figures), "per_s": figures["deliveries_per_s"]}


def fanout_single(bench: Bench, peer: Peer, size: Size) -> Figures:
    return fanout(bench, peer, size, window=1)


def fanout_5000(bench: Bench, peer: Peer, size: Size) -> Figures:
    """Measure a room of 500, and then of 5 000, of one process."""
    seconds = size.seconds(15 if peer.name in SLOW else 6)
    with bench.load(peer) as load:
        found = []
        for count in (size.count(500), size.count(5000)):
            load.phase("connect", count=count)
            load.phase("idle", seconds=1)
            load.phase("closed", seconds=1, window=4)
            found.append(load.phase("closed", seconds=seconds, window=4))
        small, large = map(_share, found)
        return {
            **large,
            "per_s": found[1]["deliveries_per_s"],
            "small_us": small["cpu_us"],
            "growth": large["cpu_us"] / max(small["cpu_us"], 1e-9),
        }


def latency(bench: Bench, peer: Peer, size: Size) -> Figures:
    with bench.load(peer) as load:
        load.phase("connect", count=size.connections(500))
        load.phase("idle", seconds=0.5)
        load.phase("open", seconds=1, rate=20)
        return _share(load.phase("open", seconds=size.seconds(10), rate=20))


def burst(bench: Bench, peer: Peer, size: Size) -> Figures:
    # A thousand would take the slow ones minutes; their rate does not depend on it.
    count = 50 if peer.name in SLOW else 1000
    with bench.load(peer) as load:
        load.phase("connect", count=size.connections(500))
        load.phase("idle", seconds=0.5)
        load.phase("burst", count=10)
        figures = load.phase("burst", count=count)
        return {**_share(figures), "per_s": figures["deliveries_per_s"]}


def overload(bench: Bench, peer: Peer, size: Size) -> Figures:
    with bench.load(peer) as load:
        load.phase("connect", count=size.connections(500))
        load.phase("idle", seconds=0.5)
        figures = load.phase(
            "open",
            seconds=size.seconds(5),
            rate=1000,
            kind="s",
            events_per_s=10,
            timeout=60,
        )
        published = figures["published"] * figures["ready"]
        return {
            **_share(figures),
            "stale": figures["stale"],
            "settled_ms": figures["settled_ms"],
            "sent_share": figures["fast"]["deliveries"] / max(published, 1),
            "cpu_share": figures["cpu_s"][0] / figures["seconds"],
        }


def many_rooms(bench: Bench, peer: Peer, size: Size) -> Figures:
    count = size.connections(1000)
    with bench.load(peer, rooms=count) as load:
        load.phase("connect", count=count)
        load.phase("idle", seconds=1)
        load.phase("closed", seconds=size.seconds(1), window=256)
        figures = load.phase("closed", seconds=size.seconds(5), window=256)
        return {**_share(figures), "per_s": figures["deliveries_per_s"]}


def two_processes(bench: Bench, peer: Peer, size: Size) -> Figures:
    result: Figures = {}
    for count, name in ((1, "one"), (2, "two")):
        with bench.load(peer, processes=count) as load:
            load.phase("connect", count=size.connections(500))
            load.phase("idle", seconds=0.5)
            load.phase("closed", seconds=size.seconds(1), window=16)
            seconds = size.seconds(5)
            closed = _share(
                load.phase("closed", seconds=seconds, window=16), servers=count
            )
            paced = _share(
                load.phase("open", seconds=seconds, rate=20, timeout=60), servers=count
            )
        result[f"{name}_us"] = closed["cpu_us"]
        result[f"{name}_paced_us"] = paced["cpu_us"]
        lost = (closed["lost"], paced["lost"], closed["doubled"], paced["doubled"])
        result["lost"] = result.get("lost", 0) + sum(lost)
        result["p99_ms"] = paced["p99_ms"]
    result["factor"] = result["two_us"] / max(result["one_us"], 1e-9)
    result["paced_factor"] = result["two_paced_us"] / max(result["one_paced_us"], 1e-9)
    return result


def memory(bench: Bench, peer: Peer, size: Size) -> Figures:
    few, many = (50, 200) if size.is_quick else (200, 1200)
    with bench.load(peer) as load:
        sizes = []
        for count in (few, many):
            load.phase("connect", count=count)
            load.phase("collect", seconds=size.seconds(2))
            sizes.append(load.phase("collect", seconds=1)["rss_kib"][0])
        return {"kib": (sizes[1] - sizes[0]) / (many - few)}


def connecting(bench: Bench, peer: Peer, size: Size) -> Figures:
    few, count = 100, size.count(1000)
    with bench.load(peer) as load:
        load.phase("connect", count=few)
        figures = load.phase("connect", count=few + count)
        return {
            "cpu_ms": figures["cpu_s"][0] * 1e3 / count,
            "per_s": count / figures["seconds"],
            "each_ms": figures["connect_ms"],
        }


def storm(bench: Bench, peer: Peer, size: Size) -> Figures:
    with bench.load(peer, concurrency=100) as load:
        load.phase("connect", count=size.connections(1000))
        load.phase("idle", seconds=1)
        seconds = 3 if size.is_quick else 15
        # Stock cannot carry more than four to a thousand.
        rate = 4 if peer.name in SLOW else 20
        figures = load.phase(
            "open", seconds=seconds, rate=rate, drop_at=1.1, timeout=30
        )
        return {
            **_share(figures),
            "back_ms": figures["back_ms"],
            "recovered": figures["recoveries"],
            "refused": figures["refused"],
            "connect_ms": figures["cpu_s"][0] * 1e3 / max(figures["connected"], 1),
        }


def query(bench: Bench, peer: Peer, size: Size) -> Figures:
    """Have one more connection ask for work in the database after a second, while the others get their messages."""
    work_ms = 1_500
    with bench.load(peer) as load:
        load.phase("connect", count=size.connections(500))
        load.phase("idle", seconds=0.5)
        # Stock cannot carry more than four to so many.
        rate = 4 if peer.name in SLOW else 20
        before = load.phase("open", seconds=size.seconds(10), rate=rate)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(_ask_for_work, bench, load.servers[0], work_ms)
            figures = load.phase("open", seconds=4, rate=rate, timeout=30)
            took_s = asking.result(timeout=30)
        return {
            **_share(figures),
            "p99_before_ms": before["fast"]["p99_ms"],
            "took_ms": took_s * 1000,
        }


def _ask_for_work(bench: Bench, server: Server, work_ms: int) -> float:
    path = "ws/chat/0/" if server.peer.name in SLOW else "ws/"
    with connect(
        f"ws://{HOST}:{server.port}/{path}",
        additional_headers={"Cookie": f"sessionid={bench.session}"},
        origin=Origin(f"http://{HOST}:{server.port}"),
    ) as asking:
        time.sleep(1)
        started = time.monotonic()
        if server.peer.name in SLOW:
            asking.send(str(work_ms))
            done = "{}"
        else:
            join = {"action": "join", "data": {"room": f"query:{work_ms}"}}
            asking.send(json.dumps(join))
            done = '"joined"'
        while done not in str(asking.recv(timeout=30)):
            pass
        return time.monotonic() - started


def slow_readers(bench: Bench, peer: Peer, size: Size) -> Figures:
    stall_s = 3 if size.is_quick else 60
    with bench.load(peer) as load:
        count = size.connections(500)
        load.phase("connect", count=count, slow_every=10)
        load.phase("idle", seconds=0.5)
        rate = {"rate": 195, "kind": "s", "events_per_s": 5}
        before = load.phase("open", seconds=size.seconds(10), **rate)
        figures = load.phase(
            "open",
            seconds=stall_s + 5,
            stall_at=1,
            stall_s=stall_s,
            timeout=30,
            **rate,
        )
        grown = figures["rss_peak_kib"][0] - figures["rss_before_kib"][0]
        return {
            **_share(figures),
            "p99_before_ms": before["fast"]["p99_ms"],
            "grown_kib": grown / (count / 10),
            "truth_ms": figures["back_ms"],
            "stale": figures["stale"],
            "slow_doubled": figures["slow"]["doubled"],
        }
