"""`.nfo` files beside what comes into the library, for media centres; never over one that is there."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from aniworld_site.library import files
from aniworld_site.library.fields import from_stored, to_stored
from aniworld_site.library.models import Episode, FileOperation, Series
from aniworld_site.library.naming import printable

logger = logging.getLogger(__name__)

SERIES_NAME = "tvshow.nfo"
MOST_BYTES = 1 << 20


def write_sidecars(operation: FileOperation) -> list[str]:
    """Write what a file holds beside it, and what its series is into the series' folder; return the path of the first, which the operation keeps and its undoing deletes.

    Written twice, the second finds them. What cannot be written is logged: the file itself is there. Source: Kodi wiki, NFO files/TV shows and /Episodes.
    """
    episode = (
        Episode.objects.select_related("season__series")
        .filter(pk__in=operation.episodes)
        .first()
    )
    if episode is None:
        return []
    target = Path(operation.target)
    path, content = target.with_suffix(".nfo"), _print(_describe_episode(episode))
    is_written = _write(path, content, operation)
    # It describes the series for its other episodes, too, and stays.
    _write(
        _find_series_folder(operation) / SERIES_NAME,
        _print(_describe(episode.season.series)),
        operation,
    )
    operation.sidecars = [_note(path, content)] if is_written else []
    FileOperation.objects.filter(pk=operation.pk).update(sidecars=operation.sidecars)
    return [str(path)] if is_written else []


def remove_sidecars(operation: FileOperation) -> None:
    """Delete what was written beside a file, where nobody has changed it since, and forget it. What cannot be deleted is logged."""
    for note in operation.sidecars:
        # What was noted without its content may be anybody's by now.
        path = from_stored(note["path"]) if isinstance(note, dict) else ""
        if not path or not files.is_inside(path, operation.root.path):
            continue
        try:
            if _note(Path(path), _read(Path(path))) == note:
                Path(path).unlink()
        except OSError as error:
            logger.warning("%s cannot be deleted: %s", printable(path), error.strerror)
    if operation.sidecars:
        files.remove_empty_folders(
            str(Path(operation.target).parent), root=operation.root.path
        )
        FileOperation.objects.filter(pk=operation.pk).update(sidecars=[])


def _note(path: Path, content: bytes) -> dict[str, str]:
    return {
        "path": to_stored(str(path)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _read(path: Path) -> bytes:
    """Return what a sidecar holds; nothing where there is none, or what is far too large for one."""
    found = files.identify(str(path))
    is_one = found is not None and found[1] <= MOST_BYTES
    return path.read_bytes() if is_one else b""


def _print(root: Element) -> bytes:
    indent(root)
    printed: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return printed


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


def _write(path: Path, content: bytes, operation: FileOperation) -> bool:
    # In a root without folders for series there is no place for what is about one of them.
    if path.parent == Path(operation.root.path) and path.name == SERIES_NAME:
        return False
    try:
        if not files.is_inside(str(path.parent), operation.root.path):
            return False
        fresh = path.with_name(f".{path.name}.new")
        try:
            fresh.write_bytes(content)
            files.rename(str(fresh), str(path))
        finally:
            fresh.unlink(missing_ok=True)
    except FileExistsError:
        # Killed before this was noted, or before the download ended, it is written again.
        return _is_there(path, content)
    except OSError as error:
        logger.warning("%s cannot be written: %s", printable(path.name), error.strerror)
        return False
    return True


def _is_there(path: Path, content: bytes) -> bool:
    try:
        return _read(path) == content
    except OSError:
        return False
