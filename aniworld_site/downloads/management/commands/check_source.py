"""Looks at a source and says what it found; changes nothing."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.downloads.management.arguments import (
    add_source_arguments,
    read_options,
)
from aniworld_site.downloads.providers.registry import (
    Listing,
    Provider,
    ProviderError,
    SourceOptions,
    find_provider,
    get_provider_types,
)

SHOWN = 20


class Command(BaseCommand):
    help = "Look at a source of episodes and say what it found: a feed, or a JSON catalogue (docs/catalogue.schema.json). Nothing is stored or downloaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source_arguments(parser)
        parser.add_argument(
            "--json", action="store_true", help="Print all of it as one JSON object."
        )

    def handle(self, *args: Any, url: str, **options: Any) -> None:
        source = read_options(url, options)
        kind, listing = self._look(source, options["kind"])
        if options["json"]:
            found = {"kind": kind.kind, **dataclasses.asdict(listing)}
            self.stdout.write(json.dumps(found, ensure_ascii=False, default=str))
        else:
            self._tell(kind, listing)

    def _look(
        self, source: SourceOptions, kind: str | None
    ) -> tuple[type[Provider], Listing]:
        try:
            if kind is None:
                return find_provider(source)
            provider = get_provider_types()[kind]
            listing = provider(source).read()
        except ProviderError as error:
            raise CommandError(str(error)) from error
        if listing is None:
            raise CommandError("It says that nothing changed since it was never read.")
        return provider, listing

    def _tell(self, kind: type[Provider], listing: Listing) -> None:
        episodes = [each for series in listing.series for each in series.episodes]
        there = sum(each.media is not None for each in episodes)
        self.stdout.write(
            f"{listing.title} is a {kind.label}: {len(listing.series)} series, {_count(len(episodes))}, {there} of them to be had."
        )
        for series in listing.series[:SHOWN]:
            year = f" ({series.year})" if series.year else ""
            self.stdout.write(
                f"  {series.key}  {series.title}{year}, {_count(len(series.episodes))}"
            )
        if len(listing.series) > SHOWN:
            self.stdout.write(f"  and {len(listing.series) - SHOWN} more")
        for problem in listing.problems:
            self.stdout.write(self.style.WARNING(f"  ! {problem}"))
        if listing.problem_count > len(listing.problems):
            more = listing.problem_count - len(listing.problems)
            self.stdout.write(self.style.WARNING(f"  ! and {more} more of these"))


def _count(episodes: int) -> str:
    return f"{episodes} episode{'' if episodes == 1 else 's'}"
