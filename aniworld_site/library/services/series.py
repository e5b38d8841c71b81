"""What a person can do with series and episodes."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aniworld_site.exceptions import DomainError
from aniworld_site.library.matching import touch_series
from aniworld_site.library.models import (
    KEY_VALIDATOR,
    Episode,
    EpisodeFile,
    RootFolder,
    Series,
)
from aniworld_site.library.naming import match_key, printable
from aniworld_site.library.series_folders import assign_keys, sort_title
from aniworld_site.library.services.announcing import announce_series, chunks
from aniworld_site.library.signals import root_changed


def add_series(title: str, *, year: int | None = None, key: str = "") -> Series:
    """Add a series; its key is the one given where that is a key and free, else made of the title.

    Raises:
        DomainError: There is no title, or this series is there already.
    """
    title = printable(title).strip()[:250]
    if not match_key(title):
        raise DomainError("A series needs a title with at least one letter or digit.")
    if Series.objects.filter(match_key=match_key(title)[:250], year=year).exists():
        raise DomainError(
            f"{title}{f' ({year})' if year else ''} is in the library already."
        )
    series = Series(
        title=title,
        sort_title=sort_title(title),
        match_key=match_key(title)[:250],
        year=year,
    )
    if _is_free(key):
        series.key = key
    else:
        assign_keys([series])
    series.save()
    return series


def _is_free(key: str) -> bool:
    try:
        KEY_VALIDATOR(key)
    except ValidationError:
        return False
    return len(key) <= 64 and not Series.objects.filter(key=key).exists()


def rename_series(series: Series, title: str) -> None:
    """Give a series another title; its key stays.

    Raises:
        DomainError: The title has no letter or digit.
    """
    title = printable(title).strip()[:250]
    if not match_key(title):
        raise DomainError("A series needs a title with at least one letter or digit.")
    series.title, series.sort_title = title, sort_title(title)
    series.match_key, series.changed_at = match_key(title)[:250], timezone.now()
    series.save(update_fields=["title", "sort_title", "match_key", "changed_at"])


def remove_series(series: QuerySet[Series]) -> int:
    """Forget these series with their seasons, episodes and files; return how many there were.

    Nothing on disk is touched, so the next scan finds again what is still there; what is ignored stays ignored.
    """
    chosen = list(series)
    roots: set[RootFolder] = set()
    # One by one, so that other writers get their turn between two of them.
    for each in chosen:
        with transaction.atomic():
            files = EpisodeFile.objects.filter(series=each).exclude(
                match=EpisodeFile.Match.IGNORED
            )
            roots.update(RootFolder.objects.filter(files__in=files).distinct())
            files.delete()
            each.delete()
    for root in roots:
        root_changed.send(RootFolder, root=root)
    return len(chosen)


def set_monitored(series: QuerySet[Series], *, is_monitored: bool) -> int:
    """Monitor these series or stop doing so; return how many that changed."""
    changed = set(
        series.exclude(is_monitored=is_monitored).values_list("pk", flat=True)
    )
    with transaction.atomic():
        for chunk in chunks(changed):
            Series.objects.filter(pk__in=chunk).update(
                is_monitored=is_monitored, changed_at=timezone.now()
            )
    announce_series(changed)
    return len(changed)


def set_wanted(episodes: QuerySet[Episode], *, is_wanted: bool) -> int:
    """Want these episodes, or no longer: what was deleted on purpose does not count as missing. Return how many that changed."""
    changed = dict(
        episodes.exclude(is_wanted=is_wanted).values_list("pk", "season__series_id")
    )
    with transaction.atomic():
        for chunk in chunks(changed):
            Episode.objects.filter(pk__in=chunk).update(is_wanted=is_wanted)
        for chunk in chunks(set(changed.values())):
            touch_series(chunk)
    announce_series(set(changed.values()))
    return len(changed)
