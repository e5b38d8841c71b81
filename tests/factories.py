"""Rows for tests: plain functions, each with defaults that make a valid row."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    Season,
    Series,
    SeriesFolder,
)

VIEW = (
    "library.view_series",
    "library.view_scan",
    "library.view_rootfolder",
    "library.view_episodefile",
)
_numbers = count(1)


def make_user(perms: Collection[str] = VIEW, **fields: Any) -> User:
    """Make a user with permissions like "library.view_series"."""
    fields.setdefault("username", f"user-{next(_numbers)}")
    user = User.objects.create_user(**fields)
    for perm in perms:
        app, codename = perm.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def make_root(**fields: Any) -> RootFolder:
    number = next(_numbers)
    fields.setdefault("name", f"Root {number}")
    fields.setdefault("path", f"/nowhere/root-{number}")
    return RootFolder.objects.create(**fields)


def make_series(*, folder_in: RootFolder | None = None, **fields: Any) -> Series:
    """Make a series, with `folder_in` also the folder that holds it in that root."""
    number = next(_numbers)
    fields.setdefault("title", f"Series {number:04}")
    fields.setdefault("key", f"series-{number}")
    fields.setdefault("sort_title", fields["title"].casefold())
    fields.setdefault("match_key", fields["title"].casefold())
    series = Series.objects.create(**fields)
    if folder_in is not None:
        SeriesFolder.objects.create(root=folder_in, name=series.title, series=series)
    return series


def make_season(series: Series | None = None, **fields: Any) -> Season:
    fields.setdefault("number", 1)
    return Season.objects.create(series=series or make_series(), **fields)


def make_episode(season: Season | None = None, **fields: Any) -> Episode:
    fields.setdefault("number", next(_numbers))
    return Episode.objects.create(season=season or make_season(), **fields)


def make_file(*, link: Episode | None = None, **fields: Any) -> EpisodeFile:
    """Make a file, linked to an episode when one is given, else unmatched."""
    number = next(_numbers)
    fields.setdefault("name", f"file-{number}.mkv")
    fields.setdefault("size_bytes", 1000)
    fields.setdefault("mtime_ns", number)
    if "root" not in fields:
        fields["root"] = make_root()
    if link is not None:
        fields.setdefault("match", EpisodeFile.Match.LINKED)
        fields.setdefault("series", link.season.series)
    file = EpisodeFile.objects.create(**fields)
    if link is not None:
        EpisodeFileLink.objects.create(
            file=file, episode=link, how="season and episode", confidence=0.98
        )
        Episode.objects.filter(pk=link.pk).update(has_file=True)
    return file


def make_scan(root: RootFolder | None = None, **fields: Any) -> Scan:
    """Make a scan that ended well, or in the state given."""
    fields.setdefault("state", Scan.State.DONE)
    if fields["state"] not in {Scan.State.QUEUED, Scan.State.RUNNING}:
        fields.setdefault("finished_at", timezone.now())
    return Scan.objects.create(root=root or make_root(), **fields)
