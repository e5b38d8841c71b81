"""Adds a source of episodes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.downloads.management.arguments import (
    add_source_arguments,
    read_options,
)
from aniworld_site.downloads.services import add_source
from aniworld_site.exceptions import DomainError


class Command(BaseCommand):
    help = "Add a source of episodes, a feed or a JSON catalogue, and read it. Series of the library are recognised by identifiers; the others are linked in the administration, or added by `add_listed`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source_arguments(parser)
        parser.add_argument(
            "--name", default="", help="What pages call it; its own title if left out."
        )

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        try:
            source, listing = add_source(
                read_options(url, options),
                name=options["name"],
                kind=options["kind"] or "",
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        linked = source.listed.exclude(series=None).count()
        self.stdout.write(
            f"Added {source.name}: {len(listing.series)} series, {linked} of them in the library by their identifiers."
        )
        for listed in source.listed.filter(series=None)[:20]:
            self.stdout.write(f"  {listed.key}  {listed}")
        for problem in listing.problems:
            self.stderr.write(self.style.WARNING(f"! {problem}"))
