"""Where a new file of an episode goes: to the others of its season, else where the naming template says."""

from __future__ import annotations

from collections import Counter

from aniworld_site.exceptions import DomainError
from aniworld_site.library.destinations import EpisodeNames, TemplateError, render
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    RootFolder,
    SeriesFolder,
)
from aniworld_site.library.naming import is_ignored_folder


def choose_place(
    episode: Episode, root: RootFolder, *, template: str, extension: str
) -> str:
    """Return the path below the root for a file of an episode (with season and series). Two queries.

    Raises:
        DomainError: The template is none.
    """
    *folders, name = _render(episode, template, extension).split("/")
    # A series called "Extras" would be passed over by every scan.
    folders = [f"{each}_" if is_ignored_folder(each) else each for each in folders]
    if used := _find_season_folder(episode, root):
        return f"{used}/{name}"
    home = (
        SeriesFolder.objects.filter(
            root=root, series=episode.season.series, is_ignored=False
        )
        .order_by("name")
        .first()
    )
    if home is not None:
        folders[:1] = [str(home.name)]
    return "/".join([*folders, name])


def choose_name(episode: Episode, *, template: str, extension: str) -> str:
    """Return the name alone that `choose_place` gives a file, without a query. Raises as `choose_place`."""
    return _render(episode, template, extension).rpartition("/")[2]


def _render(episode: Episode, template: str, extension: str) -> str:
    try:
        return render(template, describe(episode), extension)
    except TemplateError as error:
        raise DomainError(str(error)) from error


def describe(episode: Episode) -> EpisodeNames:
    """Return what a template may name of an episode."""
    series = episode.season.series
    return EpisodeNames(
        series=series.title,
        key=series.key,
        year=series.year,
        season=episode.season.number,
        episode=episode.number,
        absolute=episode.absolute_number,
        title=episode.title,
    )


def _find_season_folder(episode: Episode, root: RootFolder) -> str:
    """Return where most files of the season are; "" where none is."""
    folders = Counter(
        EpisodeFile.objects.present()
        .filter(root=root, links__episode__season=episode.season_id)
        .values_list("folder", flat=True)
    )
    return max(folders, key=lambda folder: folders[folder]) if folders else ""
