"""Measures reading names against guessit and anitomy on the same names, and the worst that hostile names can do.

    python -m benchmarks.names [--names 20000] [--runs 3]

The names are those of an ordinary library; guessit is called on a sample, since it takes hours for all. Figures are medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import anitomy_ng
from guessit import guessit

from aniworld_site.library.naming import parse_path
from benchmarks.library_scan import file_name

GUESSIT_SAMPLE = 200
HOSTILE = (
    "Show - S01E01-E9999.mkv",
    "a-" * 120,
    "1 " * 120,
    "[" * 250,
    "S01E01" * 40,
    "1x02-" * 50,
    "0.1." * 60,
    "【第1話】" * 20,
    "(2013) " * 35,
    "x" * 100_000,
    "/".join(["Season 01"] * 400),
)


def ordinary_names(count: int) -> list[str]:
    """Return paths as a library has them, the anime among them named as groups do."""
    names = []
    for number in range(count):
        series, season, episode = number // 24, number // 12 % 2 + 1, number % 12 + 1
        title = f"Quiet Harbour {series}"
        name = file_name(title, season, episode, is_anime=series % 3 == 0)
        names.append(f"{title} ({1960 + series % 60})/Season {season:02}/{name}")
    return names


def seconds_each(read: Callable[[str], object], names: Sequence[str]) -> float:
    started = time.perf_counter()
    for name in names:
        read(name)
    return (time.perf_counter() - started) / len(names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    names = ordinary_names(options.names)
    sample = names[:: max(1, len(names) // GUESSIT_SAMPLE)]
    # The first call of each loads what it needs.
    for read in (parse_path, guessit, anitomy_ng.parse_path):
        read(names[0])
    runs = [
        (
            seconds_each(parse_path, names),
            seconds_each(anitomy_ng.parse_path, names),
            seconds_each(lambda name: guessit(name, {"type": "episode"}), sample),
        )
        for _ in range(options.runs)
    ]
    ours, anitomy, theirs = (
        statistics.median(column) for column in zip(*runs, strict=True)
    )
    worst = max((seconds_each(parse_path, [name]), name[:40]) for name in HOSTILE)
    sys.stdout.write(
        f"\n| what | ms a name | ours is |\n| --- | --- | --- |\n"
        f"| parse_path | {ours * 1000:.3f} | |\n"
        f"| guessit | {theirs * 1000:.2f} | {theirs / ours:.0f} times faster |\n"
        f"| anitomy-ng (numbers only, no folders) | {anitomy * 1000:.3f} | {ours / anitomy:.1f} times slower |\n"
        f"| worst hostile name ({worst[1]!r}) | {worst[0] * 1000:.1f} | |\n"
    )


if __name__ == "__main__":
    main()
