"""Shows what is read out of file names, and why."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.library.naming import ParsedName, parse_path, printable

FIELDS = (
    "title", "year", "season", "episodes", "absolute", "label", "version", "part", "group", "resolution", "date", "ids",
)  # fmt: skip


def as_json(name: str, parsed: ParsedName) -> dict[str, object]:
    values: dict[str, object] = {
        field: _plain(getattr(parsed, field)) for field in FIELDS
    }
    return {
        "name": name,
        **values,
        "kind": parsed.kind,
        "confidence": round(parsed.confidence, 2),
        "sure": parsed.is_sure,
        "how": parsed.how,
        "reasons": {
            field: {
                "reason": finding.reason,
                "confidence": round(finding.confidence, 2),
            }
            for field, finding in parsed.findings.items()
        },
    }


def _plain(value: Any) -> object:
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return dict(value) if hasattr(value, "keys") else value


def as_lines(name: str, parsed: ParsedName) -> Iterator[str]:
    sure = "sure" if parsed.is_sure else "not sure enough to link by itself"
    yield f"{printable(name)}"
    yield f"  {'kind':<11}{parsed.kind}, {sure}, read as {parsed.how} ({parsed.confidence:.2f})"
    for field in FIELDS:
        value, finding = _plain(getattr(parsed, field)), parsed.findings.get(field)
        if value in (None, [], {}, "") or (field == "version" and value == 1):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        why = (
            f"  ({finding.confidence:.2f}: {printable(finding.reason)})"
            if finding is not None
            else ""
        )
        yield f"  {field:<11}{printable(shown)}{why}"
    if parsed.kind != "episode":
        reasons = parsed.findings.get("kind") or parsed.findings.get("episodes")
        yield f"  {'why':<11}{printable(reasons.reason) if reasons is not None else 'Nothing was found.'}"


class Command(BaseCommand):
    help = "Show what is read out of file names, and why. Touches neither disk nor database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="A path relative to its root, or - to read one a line.",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="One JSON object a line, in the order given.",
        )
        parser.add_argument(
            "--anime",
            choices=["yes", "no"],
            help="Whether plain numbers count from the first episode.",
        )

    def handle(self, *_args: str, **options: Any) -> None:
        names: list[str] = options["names"]
        if not names:
            raise CommandError(
                "Give one or more names, or - to read them from standard input, one a line."
            )
        is_anime = None if options["anime"] is None else options["anime"] == "yes"
        for name in _each(names):
            parsed = parse_path(name, is_anime=is_anime)
            lines = (
                [json.dumps(as_json(name, parsed))]
                if options["json"]
                else as_lines(name, parsed)
            )
            for line in lines:
                self.stdout.write(line)


def _each(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name == "-":
            for line in sys.stdin.buffer:
                yield line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        else:
            yield name
