"""Turns what was measured into medians, tables and a plot, and puts them into the documentation."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.realtime.peers import FOLDER, PEERS
from benchmarks.realtime.running import ROOT, Figures
from benchmarks.realtime.scenarios import SCENARIOS, Scenario

RESULTS = FOLDER / "results.json"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks-realtime.svg"
BEGIN, END = "<!-- realtime: begin -->", "<!-- realtime: end -->"
PACKAGES = (
    "Django",
    "channels",
    "channels_redis",
    "redis",
    "daphne",
    "uvicorn",
    "websockets",
    "fastapi",
    "python-socketio",
    "chanx",
)

Measured = dict[str, dict[str, list[Figures]]]
"""Figures of each run by scenario and peer."""


def save(measured: Measured) -> None:
    """Merge what was measured into the file of results."""
    known = load()
    known["machine"] = describe_machine()
    known.setdefault("runs", {}).update(measured)
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def load() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def describe_machine() -> dict[str, str]:
    packages = {name: version(name) for name in PACKAGES}
    return {
        "at": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        **packages,
    }


def get_medians(runs: Sequence[Figures]) -> Figures:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def format_figure(value: float) -> str:
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", " ")


def make_table(scenario: Scenario, measured: Mapping[str, list[Figures]]) -> str:
    """Return a scenario's Markdown table; with the range of the first figure, and its ratio where there is something to compare with."""
    first = next(iter(scenario.columns))
    medians = {name: get_medians(runs) for name, runs in measured.items() if runs}
    base = medians.get(scenario.ratio_to, {}).get(first)
    heads = ["", *scenario.columns.values()]
    if base:
        heads.insert(2, f"times {scenario.ratio_to}")
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for name, figures in medians.items():
        values = [run[first] for run in measured[name]]
        spread = f" ({format_figure(min(values))} to {format_figure(max(values))})"
        cells = [format_figure(figures[key]) for key in scenario.columns]
        cells[0] += spread if len(values) > 1 else ""
        if base:
            cells.insert(1, format_figure(figures[first] / base))
        lines.append([f"{PEERS[name].title} (`{name}`)", *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def make_section(scenario: Scenario, measured: Mapping[str, list[Figures]]) -> str:
    note = f"{scenario.note}\n\n" if scenario.note else ""
    return f"### {scenario.title}\n\n{note}{make_table(scenario, measured)}\n"


def write_document() -> None:
    """Put tables and plot of all results that are kept into the documentation."""
    known = load()
    runs: Measured = known.get("runs", {})
    machine = known.get("machine", {})
    versions = ", ".join(
        f"{name} {number}" for name, number in machine.items() if name != "at"
    )
    parts = [f"Measured {machine.get('at', '')} with {versions}.\n"]
    if "fanout" in runs:
        draw(runs["fanout"], PLOT)
        parts.append(f"![Deliveries per second of each server]({PLOT.name})\n")
    parts += [
        make_section(scenario, runs[name])
        for name, scenario in SCENARIOS.items()
        if name in runs
    ]
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    DOCUMENT.write_text(f"{head}{BEGIN}\n" + "\n".join(parts) + f"{END}{tail}")


def draw(measured: Mapping[str, list[Figures]], path: Path) -> None:
    """Draw deliveries per second as bars, the fastest first."""
    import pygal  # type: ignore[import-not-found]  # Only in the comparison's environment.
    from pygal.style import (  # type: ignore[import-not-found]  # As above.
        CleanStyle,
    )

    medians = {
        PEERS[name].title.replace("`", ""): round(get_medians(runs)["per_s"])
        for name, runs in measured.items()
        if runs
    }
    chart = pygal.HorizontalBar(
        style=CleanStyle(font_family="sans-serif", background="white"),
        show_legend=False,
        print_values=True,
        print_values_position="top",
        width=900,
        height=60 + 36 * len(medians),
        margin_right=60,
        js=(),
        formatter=lambda value: f"{value:,}".replace(",", " "),
        title="Deliveries per second, 500 connections in one room",
    )
    slowest_first = sorted(medians, key=lambda title: medians[title])
    chart.x_labels = slowest_first
    chart.add(
        "",
        [
            {
                "value": medians[title],
                "color": "#0b6bcb" if title.startswith("AniWorld") else "#9aa4ae",
            }
            for title in slowest_first
        ],
    )
    chart.render_to_file(str(path))
