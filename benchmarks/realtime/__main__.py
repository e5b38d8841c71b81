"""Compares the realtime layer with what else could be used.

    python -m benchmarks.realtime                      everything, about an hour; docs/benchmarks.md is written anew
    python -m benchmarks.realtime fanout latency       some scenarios
    python -m benchmarks.realtime fanout --peer ours-daphne --peer raw --quick

Peers take turns, so what disturbs the machine disturbs all of them; figures are medians. `make bench-realtime` installs what it needs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Sequence

from benchmarks.realtime.measuring import Size
from benchmarks.realtime.peers import FOLDER, PEERS, Peer
from benchmarks.realtime.report import Measured, make_table, save, write_document
from benchmarks.realtime.running import Bench, BenchError
from benchmarks.realtime.scenarios import SCENARIOS, Scenario


def measure(
    bench: Bench, scenario: Scenario, peers: Sequence[Peer], *, runs: int, size: Size
) -> Measured:
    """Let the peers take turns; one that fails is told and left out."""
    measured: Measured = {scenario.name: {peer.name: [] for peer in peers}}
    for number in range(runs):
        for peer in peers:
            tell(f"{scenario.name} {number + 1}/{runs} {peer.name}", end=" ")
            started = time.monotonic()
            try:
                figures = scenario.run(bench, peer, size)
            except BenchError as error:
                tell(f"failed: {error}")
                continue
            measured[scenario.name][peer.name].append(figures)
            first = next(iter(scenario.columns))
            tell(f"{first} {figures[first]:.5g}, {time.monotonic() - started:.0f} s")
    return measured


def tell(text: str, *, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()


def can_run(peer: Peer) -> bool:
    """Return whether what a peer runs on is here; say so where it is not."""
    if peer.program.endswith(".mjs") and not (
        shutil.which("node") and (FOLDER / "node_modules").exists()
    ):
        tell(f"{peer.name} is left out: Node or its packages are missing.")
        return False
    return True


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", metavar="scenario")
    parser.add_argument("--peer", action="append", choices=list(PEERS))
    parser.add_argument("--runs", type=int, help="Default: 3, quick 1.")
    parser.add_argument(
        "--quick", action="store_true", help="See that it works; nothing is written."
    )
    parser.add_argument(
        "--json", action="store_true", help="Print each run's figures too."
    )
    parser.add_argument(
        "--report", action="store_true", help="Only write the tables anew."
    )
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"expected {', '.join(SCENARIOS)}, got {', '.join(unknown)}")
    return options


def run(bench: Bench, scenario: Scenario, options: argparse.Namespace) -> Measured:
    names = options.peer or scenario.peers
    peers = [PEERS[name] for name in names if can_run(PEERS[name])]
    runs = options.runs or (1 if options.quick else scenario.runs)
    size = Size(is_quick=options.quick)
    measured = measure(bench, scenario, peers, runs=runs, size=size)
    table = make_table(scenario, measured[scenario.name])
    sys.stdout.write(f"\n## {scenario.title}\n\n{table}\n\n")
    if options.json:
        sys.stdout.write(json.dumps(measured, indent=1) + "\n")
    sys.stdout.flush()
    return measured


def main() -> None:
    options = parse_arguments()
    # Else an end from outside would leave servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Less than everything is an experiment and leaves the documentation alone.
    is_kept = not (options.quick or options.peer or options.runs)
    if not options.report:
        bench = Bench()
        try:
            for name in options.scenarios or SCENARIOS:
                measured = run(bench, SCENARIOS[name], options)
                if is_kept:
                    save(measured)
        finally:
            bench.close()
    if is_kept:
        write_document()


if __name__ == "__main__":
    main()
