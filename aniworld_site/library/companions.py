"""What lies beside a video under its name, like `.nfo` files and subtitles, and goes where the video goes; never over another file."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from aniworld_site.library import files
from aniworld_site.library.fields import from_stored, to_stored
from aniworld_site.library.models import FileOperation
from aniworld_site.library.naming import printable
from aniworld_site.library.walking import is_video_name

logger = logging.getLogger(__name__)

MOST = 50
ENDS = (".", "-thumb.")
"""What follows the video's name without its extension; the second is what media centres call a picture of an episode."""


def find_companions(path: str) -> list[str]:
    """Return what is called like a video in its folder, but for one of `ENDS` and what follows, as what each has after the video's stem, in the form that the database keeps.

    No videos are among them, and at most 50. What several videos could have is the one's with the longest name; of two with one stem it is nobody's.
    """
    folder, name = os.path.split(path)
    stem = _get_stem(name)
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.startswith(_begin(stem))]
            beside = [entry.name for entry in found if is_video_name(entry.name)]
            others = [
                entry.name
                for entry in found
                if not is_video_name(entry.name)
                and entry.is_file(follow_symlinks=False)
            ]
    except OSError as error:
        logger.warning("%s cannot be read: %s", printable(folder), error.strerror)
        return []
    stems = {_get_stem(each) for each in beside if each != name}
    if stem in stems:
        return []
    longer = tuple(begin for each in stems for begin in _begin(each))
    own = sorted(each for each in others if not each.startswith(longer))
    if len(own) > MOST:
        logger.warning("%s has more than %s files beside it", printable(path), MOST)
    return [to_stored(each.removeprefix(stem)) for each in own[:MOST]]


def take_companions(operation: FileOperation) -> None:
    """Move what is beside a file after it, and keep which came along. Done again after a crash, it takes the rest.

    What cannot be moved stays and is logged: the file itself is at its new place.
    """
    taken = [each for each in operation.companions if _take(operation, each)]
    if taken != operation.companions:
        operation.companions = taken
        operation.save(update_fields=["companions"])


def delete_companions(operation: FileOperation) -> None:
    """Delete for good what went to the trash with a file.

    Raises:
        OSError: The disk refuses.
    """
    for suffix in operation.companions:
        path = f"{_get_stem(operation.target)}{from_stored(suffix)}"
        if files.identify(path) is not None:
            Path(path).unlink()


def _take(operation: FileOperation, suffix: str) -> bool:
    """Move one companion; tell whether it is beside the file's new place by now."""
    end = from_stored(suffix)
    source = f"{_get_stem(operation.came_from)}{end}"
    target = f"{_get_stem(operation.target)}{end}"
    try:
        here, there = files.identify(source), files.identify(target)
        if here is None:
            return there is not None
        if here == there:
            # Where a name cannot be moved, a second one is made first: a crash leaves both.
            files.remove_second_name(source, target)
        else:
            files.rename(source, target)
    except OSError as error:
        logger.warning("%s stays: %s", printable(source), error.strerror)
        return False
    return True


def _begin(stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}{end}" for end in ENDS)


def _get_stem(path: str) -> str:
    return os.path.splitext(path)[0]  # noqa: PTH122  # A path as it is stored.
