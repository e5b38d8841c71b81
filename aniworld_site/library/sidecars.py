"""`.nfo` files beside what comes into the library, for media centres; never over one that is there."""

from __future__ import annotations

import logging
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from aniworld_site.library import files
from aniworld_site.library.models import Episode, FileOperation, Series
from aniworld_site.library.naming import printable

logger = logging.getLogger(__name__)

SERIES_NAME = "tvshow.nfo"


def write_sidecars(operation: FileOperation) -> list[str]:
    """Write what a file holds beside it, and what its series is into the series' folder; return the path of the first, which the operation keeps and its undoing deletes.

    What cannot be written is logged: the file itself is there. Source: Kodi wiki, NFO files/TV shows and /Episodes.
    """
    episode = (
        Episode.objects.select_related("season__series")
        .filter(pk__in=operation.episodes)
        .first()
    )
    if episode is None:
        return []
    target = Path(operation.target)
    written = [
        path
        for path, root in (
            (target.with_suffix(".nfo"), _describe_episode(episode)),
            (
                _find_series_folder(operation) / SERIES_NAME,
                _describe(episode.season.series),
            ),
        )
        if _write(path, root, operation)
    ]
    # What describes the series is there for its other episodes, too.
    paths = [str(path) for path in written if path.name != SERIES_NAME]
    FileOperation.objects.filter(pk=operation.pk).update(sidecars=paths)
    operation.sidecars = paths
    return paths


def _find_series_folder(operation: FileOperation) -> Path:
    root = Path(operation.root.path)
    relative = Path(operation.target).relative_to(root)
    return root / relative.parts[0] if len(relative.parts) > 1 else root


def _describe_episode(episode: Episode) -> Element:
    root = Element("episodedetails")
    _add(root, "title", episode.title or str(episode))
    _add(root, "showtitle", episode.season.series.title)
    _add(root, "season", str(episode.season.number))
    _add(root, "episode", str(episode.number))
    if episode.air_date is not None:
        _add(root, "aired", episode.air_date.isoformat())
    return root


def _describe(series: Series) -> Element:
    root = Element("tvshow")
    _add(root, "title", series.title)
    if series.year is not None:
        _add(root, "year", str(series.year))
    for number, (provider, value) in enumerate(sorted(series.ids.items())):
        found = _add(root, "uniqueid", str(value))
        found.set("type", str(provider))
        found.set("default", "true" if number == 0 else "false")
    return root


def _add(root: Element, name: str, text: str) -> Element:
    element = SubElement(root, name)
    element.text = printable(text)
    return element


def _write(path: Path, root: Element, operation: FileOperation) -> bool:
    # In a root without folders for series there is no place for what is about one of them.
    if path.parent == Path(operation.root.path) and path.name == SERIES_NAME:
        return False
    indent(root)
    try:
        if not files.is_inside(str(path.parent), operation.root.path):
            return False
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as file:
            ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
        try:
            files.rename(str(fresh), str(path))
        finally:
            fresh.unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as error:
        logger.warning("%s cannot be written: %s", path.name, error)
        return False
    return True
