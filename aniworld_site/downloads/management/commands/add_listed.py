"""Adds a series that a source lists to the library, or says which of the library it is."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.downloads.models import SourceSeries
from aniworld_site.downloads.services import add_listed, link_listed
from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import Series


class Command(BaseCommand):
    help = "Add a series that a source lists to the library with its episodes. With --to it is that series of the library instead."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="The source's name.")
        parser.add_argument("key", help="The series' key at the source.")
        parser.add_argument(
            "--to", metavar="KEY", help="Key of a series of the library."
        )

    def handle(self, *args: Any, source: str, key: str, **options: Any) -> None:
        listed = (
            SourceSeries.objects.filter(source__name=source, key=key)
            .select_related("source", "series")
            .first()
        )
        if listed is None:
            raise CommandError(f"The source {source!r} lists no series {key!r}.")
        try:
            series = self._add(listed, options["to"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        linked = listed.episodes.exclude(episode=None).count()
        self.stdout.write(
            f"{series} ({series.key}): {linked} of {listed.episodes.count()} listed episodes are linked."
        )

    def _add(self, listed: SourceSeries, to: str | None) -> Series:
        if to is None:
            return add_listed(listed)
        series = Series.objects.filter(key=to).first()
        if series is None:
            raise CommandError(f"No series of the library has the key {to!r}.")
        link_listed(listed, series)
        return series
