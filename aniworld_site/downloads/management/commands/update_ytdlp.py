"""Fetches the newest yt-dlp."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from aniworld_site.downloads.ytdlp.versions import (
    UpdateError,
    Version,
    get_version,
    update,
)


class Command(BaseCommand):
    help = "Fetch the newest yt-dlp into the data folder, try it, and use it from the next run on. Sites change, and an old one reads them no longer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only show which one is used and its age.",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        before = get_version(Path(settings.DATA_DIR))
        if check:
            self.stdout.write(_describe(before))
            return
        try:
            after = update(Path(settings.DATA_DIR))
        except UpdateError as error:
            raise CommandError(str(error)) from error
        if after.number == before.number:
            self.stdout.write(f"{_describe(after)} It is the newest there is.")
        else:
            self.stdout.write(f"{_describe(after)} Before, it was {before.number}.")


def _describe(version: Version) -> str:
    whose = "fetched into the data folder" if version.is_updated else "installed"
    age = f"{version.age_days} days old" if version.age_days != 1 else "1 day old"
    old = " Sites may have changed since: update it." if version.is_old else ""
    return f"yt-dlp {version.number}, {whose}, is {age}.{old}"
