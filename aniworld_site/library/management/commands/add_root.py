"""Adds a root folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.exceptions import DomainError
from aniworld_site.library.naming import printable
from aniworld_site.library.services import add_root


class Command(BaseCommand):
    help = "Add a folder whose sub-folders are series to the library. Nothing is read until it is scanned."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="The folder, like /media/series.")
        parser.add_argument(
            "--name",
            default="",
            help="What the pages call it; its own name when left out.",
        )

    def handle(self, *args: Any, path: str, name: str, **options: Any) -> None:
        try:
            root = add_root(str(Path(path).expanduser().absolute()), name=name)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Added {printable(root.path)} as {root.name}. Read it with: manage.py scan --root {root.name!r}"
        )
