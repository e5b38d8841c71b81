"""What is measured: one table for each scenario, with the peers that belong there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.realtime import measuring
from benchmarks.realtime.measuring import Run
from benchmarks.realtime.peers import PEERS
from benchmarks.realtime.publisher import measure_publishing

EVERYBODY = tuple(PEERS)
OURS = ("ours-daphne", "ours-uvicorn")
PLAIN_CLIENTS = "ours-daphne-part1"
DJANGO = (*OURS, "stock-pubsub")
FAST = ("broadcast", "node-ws")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One table."""

    name: str
    title: str
    run: Run
    peers: Sequence[str]
    columns: Mapping[str, str]
    """Heading by figure; of the first one the ratio to the stock consumer is shown."""
    note: str = ""
    runs: int = 3
    ratio_to: str = ""
    """A peer that the first figure is compared with."""


RATES = {
    "per_s": "deliveries/s",
    "cpu_us": "server CPU, µs each",
    "per_frame": "messages per frame",
    "client_share": "client's core",
    "lost": "lost",
    "doubled": "doubled",
}
LATENCIES = {
    "p99_ms": "p99, ms",
    "p50_ms": "p50, ms",
    "max_ms": "max, ms",
    "cpu_us": "server CPU, µs each",
    "lost": "lost",
}

_ALL = (
    Scenario(
        name="fanout",
        title="500 connections in one room, 16 messages in flight",
        run=measuring.fanout,
        peers=EVERYBODY,
        columns=RATES,
        ratio_to="stock-pubsub",
    ),
    Scenario(
        name="fanout-single",
        title="500 connections in one room, one message in flight",
        run=measuring.fanout_single,
        peers=(*DJANGO, PLAIN_CLIENTS, *FAST, "raw"),
        columns=RATES,
        note="Nothing can pile up here, so each message is a frame and a write of its own for everybody.",
        ratio_to="stock-pubsub",
    ),
    Scenario(
        name="fanout-5000",
        title="5 000 connections in one room, 4 messages in flight",
        run=measuring.fanout_5000,
        peers=(*DJANGO, *FAST, "raw"),
        columns={
            **RATES,
            "small_us": "with 500 connections, µs each",
            "growth": "growth of CPU",
        },
        ratio_to="stock-pubsub",
    ),
    Scenario(
        name="latency",
        title="20 messages/s to 500 connections, from due to received",
        run=measuring.latency,
        peers=EVERYBODY,
        columns=LATENCIES,
        note="Counted from when each message was due, so a server that falls behind shows it.",
    ),
    Scenario(
        name="burst",
        title="A burst of 1 000 messages from server code to 500 connections",
        run=measuring.burst,
        peers=(*OURS, "stock-pubsub", "stock-core", *FAST, "node-socketio", "raw"),
        columns={**RATES, "closes": "closed", "resyncs": "snapshots"},
        note="The stock consumers get 50.",
        ratio_to="broadcast",
    ),
    Scenario(
        name="overload",
        title="1 000 states/s and 10 events/s offered to 500 connections",
        run=measuring.overload,
        peers=(*OURS, *FAST),
        columns={
            "p99_ms": "p99, ms",
            "settled_ms": "newest everywhere after, ms",
            "sent_share": "share sent",
            "cpu_share": "server's core",
            "lost": "events lost",
            "stale": "without the newest",
        },
    ),
    Scenario(
        name="publish",
        title="Publishing from synchronous code, nobody listens",
        run=measure_publishing,
        peers=("ours-daphne", "stock-pubsub"),
        columns={
            "one_per_s": "one by one, messages/s",
            "bulk_per_s": "in bulk, messages/s",
            "call_us": "caller waits, µs",
        },
        ratio_to="stock-pubsub",
        note="One by one: the broker has each before the next. Stock is `async_to_sync(group_send)`, which keeps no history.",
    ),
    Scenario(
        name="rooms",
        title="1 000 connections in 1 000 rooms, 256 messages in flight",
        run=measuring.many_rooms,
        peers=(*DJANGO, "node-ws"),
        columns={**RATES, "broker_us": "broker CPU, µs/message"},
        ratio_to="stock-pubsub",
    ),
    Scenario(
        name="two-processes",
        title="Two processes share one broker and one core",
        run=measuring.two_processes,
        peers=("ours-daphne", "stock-pubsub"),
        columns={
            "factor": "CPU each, times one process, 16 in flight",
            "paced_factor": "at 20/s",
            "one_us": "one process, µs each",
            "two_us": "two, µs each",
            "lost": "lost or doubled",
            "p99_ms": "p99 at 20/s, ms",
        },
    ),
    Scenario(
        name="memory",
        title="Memory of an idle, joined connection",
        run=measuring.memory,
        peers=EVERYBODY,
        columns={"kib": "KiB each"},
    ),
    Scenario(
        name="connect",
        title="Connecting with a session and joining",
        run=measuring.connecting,
        peers=(*DJANGO, "stock-core"),
        columns={
            "cpu_ms": "server CPU, ms each",
            "per_s": "connections/s",
            "each_ms": "each took, ms",
        },
    ),
    Scenario(
        name="storm",
        title="1 000 connections are cut and come back at once, 20 messages/s",
        run=measuring.storm,
        peers=DJANGO,
        columns={
            "lost": "lost",
            "doubled": "doubled",
            "back_ms": "all back after, ms",
            "recovered": "resumed",
            "refused": "joins put off",
            "resyncs": "snapshots",
        },
        note="Stock gets 4 messages/s, since it cannot carry more. An event that a snapshot stands for counts as lost.",
    ),
    Scenario(
        name="slow",
        title="One in ten of 500 stops reading for 60 s at 200 messages/s",
        run=measuring.slow_readers,
        peers=OURS,
        columns={
            "grown_kib": "server grows, KiB each",
            "p99_ms": "p99 of the others, ms",
            "p99_before_ms": "p99 before, ms",
            "lost": "lost by the others",
            "truth_ms": "newest state after, ms",
            "stale": "without the newest",
        },
    ),
    Scenario(
        name="query",
        title="One consumer works in the database for 1.5 s, 500 others get 20 messages/s",
        run=measuring.query,
        peers=DJANGO,
        columns={
            "p99_ms": "p99 of the others, ms",
            "max_ms": "max, ms",
            "p99_before_ms": "p99 before, ms",
            "took_ms": "the work took, ms",
            "lost": "lost",
        },
        note="The work takes its share of the server's one core. Stock gets 4 messages/s, since it cannot carry more.",
    ),
)
SCENARIOS = {scenario.name: scenario for scenario in _ALL}
