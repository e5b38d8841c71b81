"""Lines for a terminal: what happens in rooms, coloured where `rich` is installed, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

from realtime.tailing import Happening

COLOURS = {"state": "cyan", "event": "bold yellow", "end": "bold green"}


def make_printer(stdout: Any, *, is_json: bool) -> Callable[[Happening], None]:
    """Return what prints a happening as one line, at once."""
    if is_json:
        return lambda happening: _write(stdout, encode(happening))
    try:
        from rich.console import Console
    except ImportError:
        return lambda happening: _write(stdout, " ".join(describe(happening)))
    return _print_coloured(Console(file=_unwrap(stdout), soft_wrap=True))


def encode(happening: Happening) -> str:
    """Return one JSON object in ASCII: the frame, and room, epoch, seq, kind and at."""
    where = {
        "room": happening.room,
        "epoch": happening.epoch,
        "seq": happening.seq,
        "kind": happening.kind,
        "at": happening.at.isoformat(timespec="milliseconds"),
    }
    return json.dumps({**happening.frame, **where}, separators=(",", ":"))


def describe(happening: Happening) -> tuple[str, str, str, str, str]:
    """Return time of day, room, seq, type and data, with nothing in it that a terminal obeys."""
    local = happening.at.astimezone()
    data = happening.frame.get("data", {})
    fields = (
        " ".join(f"{name}={_dump(value)}" for name, value in data.items())
        if isinstance(data, dict)
        else _dump(data)
    )
    return (
        f"{local:%H:%M:%S}.{local.microsecond // 1000:03}",
        disarm(happening.room),
        str(happening.seq),
        disarm(str(happening.frame.get("type"))),
        disarm(fields),
    )


def disarm(text: str) -> str:
    """Return a text whose control characters and the like are written as Python would."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _print_coloured(console: Any) -> Callable[[Happening], None]:
    from rich.text import Text

    def show(happening: Happening) -> None:
        time, room, seq, kind, data = describe(happening)
        line = Text(no_wrap=True)
        line.append(time, "dim").append(" ").append(room, "magenta")
        line.append(f" {seq} ", "dim").append(kind, COLOURS[happening.kind])
        console.print(line.append(f" {data}"), soft_wrap=True, highlight=False)
        console.file.flush()

    return show


def _write(stdout: Any, line: str) -> None:
    stdout.write(line)
    stdout.flush()


def _unwrap(stdout: Any) -> TextIO:
    """Return the stream behind Django's wrapper, which rich asks whether it is a terminal."""
    stream: TextIO = getattr(stdout, "_out", stdout)
    return stream
