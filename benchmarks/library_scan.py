"""Measures scans of a generated library against `find` on the same tree and against guessit called for each file.

    python -m benchmarks.library_scan [--files 100000] [--runs 3] [--keep DIR]

Each measurement is a process of its own, so that its peak memory is its own; the figures are medians. Nothing outside a temporary
folder is written.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPISODES, SEASONS = 12, 2
GUESSIT_SAMPLE = 300
TITLES = (
    "Silver",
    "Lantern",
    "Harbour",
    "Winter",
    "Paper",
    "Crimson",
    "Quiet",
    "Orbit",
    "Garden",
    "Signal",
    "Hollow",
    "Ember",
)


def make_tree(root: Path, files: int) -> None:
    """Write a library of empty-handed but distinct files: two in three series named SxxEyy, one as anime is."""
    rng = random.Random(8420)
    made = number = 0
    while made < files:
        number += 1
        title = f"{rng.choice(TITLES)} {rng.choice(TITLES)} {number}"
        year = 1960 + number % 65
        for season in range(1, SEASONS + 1):
            folder = root / f"{title} ({year})" / f"Season {season:02}"
            folder.mkdir(parents=True)
            for episode in range(1, EPISODES + 1):
                if made < files:
                    (
                        folder
                        / file_name(title, season, episode, is_anime=number % 3 == 0)
                    ).write_bytes(b"x" * rng.randrange(1, 4096))
                    made += 1


def file_name(title: str, season: int, episode: int, *, is_anime: bool) -> str:
    if is_anime:
        return f"[Group] {title} S{season} - {episode:02} (1080p) [{season * 7919 + episode:08X}].mkv"
    return f"{title} - S{season:02}E{episode:02} - The {TITLES[episode % len(TITLES)]} Episode [WEBDL-1080p][x264].mkv"


def change_tree(root: Path, changes: int) -> None:
    """Make a third of the changes each a new file, a deleted one and one with other content."""
    rng = random.Random(4711)
    files = sorted(root.rglob("*.mkv"))
    for number, path in enumerate(rng.sample(files, changes)):
        if number % 3 == 0:
            path.with_name(
                path.name.replace(".mkv", " (second version).mkv")
            ).write_bytes(b"y" * (5000 + number))
        elif number % 3 == 1:
            path.unlink()
        else:
            path.write_bytes(b"z" * (6000 + number))


def measure_scan(root: str) -> dict[str, float]:
    """Scan once in this process and return seconds, peak MiB, queries and counts."""
    import django  # Only the measuring processes need Django, and each needs its own settings.

    django.setup()
    from django.db import connection

    from aniworld_site.library.models import RootFolder
    from aniworld_site.library.scanner import run_scan
    from aniworld_site.library.transitions import ScanRequest, claim_scan, open_scan

    folder, _is_new = RootFolder.objects.get_or_create(
        path=root, defaults={"name": "bench"}
    )
    queries = 0

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal queries
        queries += 1
        return execute(sql, params, many, context)

    base_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with connection.execute_wrapper(count):
        started, cpu = time.perf_counter(), time.process_time()
        scan, _ = open_scan(ScanRequest(root=folder, by="bench"))
        claim_scan(scan)
        run_scan(scan)
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    scan.refresh_from_db()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": seconds, "cpu_s": cpu_s, "peak_mib": peak_mib, "base_mib": base_mib, "queries": queries,
        "current": scan.current, "added": scan.added, "updated": scan.updated, "vanished": scan.vanished, "held": scan.held, "unmatched": scan.unmatched,
    }  # fmt: skip


def measure_guessit(root: str) -> dict[str, float]:
    """Call guessit on a sample of the files and return seconds for one."""
    from guessit import guessit

    base = Path(root)
    names = [str(path.relative_to(base)) for path in base.rglob("*.mkv")]
    sample = random.Random(1).sample(names, min(GUESSIT_SAMPLE, len(names)))
    guessit(sample[0], {"type": "episode"})
    started = time.perf_counter()
    for name in sample:
        guessit(name, {"type": "episode"})
    return {
        "seconds_each": (time.perf_counter() - started) / len(sample),
        "files": len(names),
    }


def measure_find(root: str) -> float:
    with Path(os.devnull).open("w") as nowhere:
        started = time.perf_counter()
        subprocess.run(
            ["find", root, "-printf", "%p %s %T@ %i\n"], stdout=nowhere, check=True
        )
        return time.perf_counter() - started


def in_process(verb: str, root: Path, data: Path) -> dict[str, float]:
    environment = os.environ | {
        "ANIWORLD_DATA_DIR": str(data),
        "ANIWORLD_SECRET_KEY": "bench",
        "DJANGO_SETTINGS_MODULE": "aniworld_site.settings",
        "ANIWORLD_LOG_LEVEL": "ERROR",
    }
    command = [
        sys.executable,
        "-m",
        "benchmarks.library_scan",
        "--measure",
        verb,
        "--keep",
        str(root),
    ]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(files: int, runs: int, place: Path) -> dict[str, dict[str, float]]:
    """Build a tree below `place` and return all figures by name."""
    root, data = place / f"tree-{files}", place / f"data-{files}"
    root.mkdir(parents=True)
    data.mkdir()
    make_tree(root, files)
    environment = os.environ | {
        "ANIWORLD_DATA_DIR": str(data),
        "ANIWORLD_SECRET_KEY": "bench",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True
    )
    figures = {"first": in_process("scan", root, data)}
    pairs = [
        (measure_find(str(root)), in_process("scan", root, data)) for _ in range(runs)
    ]
    figures["find"] = {"seconds": statistics.median(pair[0] for pair in pairs)}
    figures["unchanged"] = sorted(
        (pair[1] for pair in pairs), key=lambda figure: figure["seconds"]
    )[runs // 2]
    change_tree(root, min(100, files // 10))
    figures["changed"] = in_process("scan", root, data)
    figures["guessit"] = in_process("guessit", root, data)
    return figures


def report(
    small: dict[str, dict[str, float]], large: dict[str, dict[str, float]], files: int
) -> None:
    first, unchanged, changed, find, guessit = (
        large[name] for name in ("first", "unchanged", "changed", "find", "guessit")
    )
    guessit_s = guessit["seconds_each"] * files
    rows = [
        (
            "first scan",
            f"{first['seconds']:.1f} s",
            f"{guessit_s / first['seconds']:.0f} times faster than guessit per file ({guessit['seconds_each'] * 1000:.1f} ms each, sampled)",
            "at least 20",
        ),
        (
            "rescan, unchanged",
            f"{unchanged['seconds']:.2f} s",
            f"{unchanged['seconds'] / find['seconds']:.1f} times find ({find['seconds']:.2f} s)",
            "at most 6",
        ),
        (
            "rescan, 100 changes",
            f"{changed['seconds']:.2f} s",
            f"{changed['seconds'] - unchanged['seconds']:+.2f} s to unchanged",
            "as unchanged plus 100",
        ),
        (
            "peak memory, rescan",
            f"{unchanged['peak_mib']:.0f} MiB",
            f"{unchanged['peak_mib'] / small['unchanged']['peak_mib']:.2f} times that of {small['unchanged']['current']:.0f} files",
            "300 MB, factor 2",
        ),
        (
            "peak memory, first",
            f"{first['peak_mib']:.0f} MiB",
            f"{first['peak_mib'] / small['first']['peak_mib']:.2f} times that of {small['first']['current']:.0f} files",
            "factor 2",
        ),
        (
            "queries",
            f"{first['queries']:.0f} / {unchanged['queries']:.0f}",
            f"{small['first']['queries']:.0f} / {small['unchanged']['queries']:.0f} for {small['first']['current']:.0f} files",
            "by batches",
        ),
    ]
    sys.stdout.write(
        f"\n{files} files; first / unchanged / changed\n\n| what | figure | compared | bar |\n| --- | --- | --- | --- |\n"
    )
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    parser.add_argument(
        "--measure", choices=["scan", "guessit"], help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.measure:
        figure = (
            measure_scan(str(options.keep))
            if options.measure == "scan"
            else measure_guessit(str(options.keep))
        )
        sys.stdout.write(f"{json.dumps(figure)}\n")
        return
    place = options.keep or Path(tempfile.mkdtemp(prefix="aniworld-bench-"))
    try:
        small = compare(max(100, options.files // 10), options.runs, place)
        large = compare(options.files, options.runs, place)
        report(small, large, options.files)
        sys.stdout.write(f"\n{json.dumps({'small': small, 'large': large})}\n")
    finally:
        if not options.keep:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
