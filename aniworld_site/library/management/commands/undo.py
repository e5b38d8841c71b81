"""Undoes what was done to files."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import FileOperation
from aniworld_site.library.naming import printable
from aniworld_site.library.selectors import list_operations
from aniworld_site.library.services import undo_operation

SHOWN = 20


class Command(BaseCommand):
    help = "List what was done to files, the newest first, or undo one of it by its number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", nargs="?", type=int, help="Which one.")
        parser.add_argument("--json", action="store_true", help="For other programs.")

    def handle(self, *args: Any, number: int | None, **options: Any) -> None:
        if number is None:
            self._list(as_json=options["json"])
            return
        operation = FileOperation.objects.select_related("root").filter(pk=number)
        if (found := operation.first()) is None:
            raise CommandError(
                f"There is no operation {number}: `undo` without a number lists them."
            )
        try:
            undo_operation(found, by="command line")
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The {found.get_kind_display()} {number} is undone.")

    def _list(self, *, as_json: bool) -> None:
        operations = list_operations()[:SHOWN]
        if as_json:
            self.stdout.write(json.dumps([_as_values(each) for each in operations]))
            return
        for each in operations:
            said = f"{each.pk:>6}  {each.made_at:%Y-%m-%d %H:%M}  {each.get_kind_display():<8} {each.get_state_display():<9} {each.label}: {printable(each.source)} -> {printable(each.target)}"
            self.stdout.write(said)


def _as_values(operation: FileOperation) -> dict[str, Any]:
    return {
        "number": operation.pk,
        "kind": operation.kind,
        "state": operation.state,
        "what": operation.label,
        "from": printable(operation.source),
        "to": printable(operation.target),
        "by": operation.by,
        "made_at": operation.made_at.isoformat(),
        "error": operation.error,
    }
