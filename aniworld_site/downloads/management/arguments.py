"""What commands ask of a source that is not added yet."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from aniworld_site.downloads.providers.guarding import (
    GuardError,
    list_own_hosts,
    read_hosts,
)
from aniworld_site.downloads.providers.registry import SourceOptions, get_provider_types


def add_source_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("url", help="Like https://example.org/feed.xml.")
    parser.add_argument(
        "--kind", choices=list(get_provider_types()), help="Found out when left out."
    )
    parser.add_argument("--user", default="", help="User name that it wants.")
    parser.add_argument(
        "--password-file",
        type=Path,
        help="File that holds the password, so that it is in no list of processes.",
    )
    parser.add_argument(
        "--private",
        action="store_true",
        help="Its host may be on this machine or its network.",
    )
    parser.add_argument(
        "--private-host",
        action="append",
        default=[],
        metavar="HOST",
        help="Another host of the own network that it may name; may be given again.",
    )
    parser.add_argument(
        "--cookies",
        default="",
        metavar="FILE",
        help="Cookies that the site wants, as browsers export them; for yt-dlp.",
    )
    parser.add_argument(
        "--format", default="", help="The best if left out; for yt-dlp, as its -f."
    )


def read_options(url: str, options: Mapping[str, Any]) -> SourceOptions:
    """Return what the arguments say of a source.

    Raises:
        CommandError: The password's file cannot be read, or a host is none.
    """
    path: Path | None = options["password_file"]
    try:
        password = path.read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error
    try:
        named = read_hosts(" ".join(options["private_host"]))
    except GuardError as error:
        raise CommandError(str(error)) from error
    own = list_own_hosts(url, is_private=options["private"])
    return SourceOptions(
        url=url,
        username=options["user"],
        password=password,
        private_hosts=own | named,
        cookies=options["cookies"],
        format=options["format"],
    )
