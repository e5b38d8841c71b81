"""Reads sources now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aniworld_site.downloads.models import Source
from aniworld_site.downloads.refreshing import Refreshed, refresh_source


class Command(BaseCommand):
    help = "Read sources now, all that are enabled unless some are named. Ends with 1 where one could not be read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Also where a source says that nothing changed.",
        )

    def handle(self, *args: Any, names: list[str], force: bool, **options: Any) -> None:
        sources = self._find(names)
        if not sources:
            self.stdout.write(
                "There is no source. Add one with: manage.py add_source URL"
            )
        failed = 0
        for source in sources:
            refreshed = refresh_source(source, is_forced=force)
            self.stdout.write(f"{source.name}: {_describe(refreshed)}")
            failed += bool(refreshed and refreshed.error)
        if failed:
            raise CommandError(f"{failed} of {len(sources)} could not be read.")

    def _find(self, names: list[str]) -> list[Source]:
        if not names:
            return list(Source.objects.filter(is_enabled=True))
        found = {
            source.name: source for source in Source.objects.filter(name__in=names)
        }
        if missing := [name for name in names if name not in found]:
            known = ", ".join(Source.objects.values_list("name", flat=True)) or "none"
            raise CommandError(
                f"No source is called {missing[0]!r}. There are: {known}."
            )
        return [found[name] for name in names]


def _describe(refreshed: Refreshed | None) -> str:
    if refreshed is None:
        return "is being read already"
    if refreshed.error:
        return refreshed.error
    changes = refreshed.changes
    if changes is None:
        return "unchanged"
    episodes = "episode" if changes.episodes_added == 1 else "episodes"
    told = {
        "series added": changes.series_added,
        "series withdrawn": changes.series_withdrawn,
        f"{episodes} added": changes.episodes_added,
        "changed": changes.episodes_changed,
        "withdrawn": changes.episodes_withdrawn,
        "to look at": changes.to_review,
    }
    return ", ".join(f"{count} {what}" for what, count in told.items() if count) or (
        "read, nothing new"
    )
