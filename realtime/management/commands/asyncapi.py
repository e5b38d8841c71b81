"""Writes what the protocol is as documents, and finds those that are stale and changes that break clients."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

import realtime
from realtime.schema.contract import Contract, find_breaks
from realtime.schema.describing import describe
from realtime.schema.files import BROWSER_FILES, write_files


class Command(BaseCommand):
    """`manage.py asyncapi [--check] [--output DIR] [--modules DIR] [--contract FILE]`."""

    help = (
        "Write the protocol of all installed apps: AsyncAPI 3.0, JSON Schema, TypeScript, constants for the browser and a reference for "
        "people. With --check write nothing, and fail where a file is stale or a change breaks clients."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only compare; exit with 1 and a sentence for each difference.",
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="DIR",
            help="Where all files go; by default docs/ of the project.",
        )
        parser.add_argument(
            "--modules",
            type=Path,
            metavar="DIR",
            help=f"Where {' and '.join(BROWSER_FILES)} go; by default beside the browser client where that is the project's own, else with the others.",
        )
        parser.add_argument(
            "--contract",
            type=Path,
            metavar="FILE",
            help="What may not change; by default part1.json beside the other files, where it exists.",
        )

    def handle(self, *_args: str, **options: Any) -> None:
        project = Path(getattr(settings, "BASE_DIR", Path.cwd()))
        output: Path = options["output"] or project / "docs"
        modules: Path = options["modules"] or (
            output if options["output"] else find_modules(project) or output
        )
        protocol = describe()
        texts = {
            (modules if name in BROWSER_FILES else output) / name: text
            for name, text in write_files(protocol).items()
        }
        contract = read_contract(options["contract"], output / "part1.json")
        problems = find_breaks(contract, protocol)
        if options["check"]:
            problems += [
                f"{path} is {'stale' if path.exists() else 'missing'}; renew it with: manage.py asyncapi{repeat(options)}"
                for path, text in texts.items()
                if not path.exists() or path.read_text(encoding="utf-8") != text
            ]
        else:
            for path, text in texts.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                self.stdout.write(f"Wrote {path}")
        if problems:
            raise CommandError("\n".join(problems))


def find_modules(project: Path) -> Path | None:
    """Return the folder of the browser client where it belongs to the project; what a package installed is not written to."""
    package = Path(realtime.__file__).resolve().parent
    is_own = package.parent == project.resolve()
    return package / "static/realtime" if is_own else None


def read_contract(path: Path | None, default: Path) -> Contract:
    """Return the contract, an empty one where none was named and there is none."""
    if path is None and not default.exists():
        return {}
    try:
        found: Contract = json.loads((path or default).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(
            f"Expected a contract in {path or default}: {error}"
        ) from error
    return found


def repeat(options: dict[str, Any]) -> str:
    """Return the options that say where files go, as they were given."""
    return "".join(
        f" --{name} {options[name]}" for name in ("output", "modules") if options[name]
    )
