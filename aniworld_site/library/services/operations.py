"""What a person can do with files: trash them, rename them, and undo what was done."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from aniworld_site.exceptions import DomainError
from aniworld_site.library import journal, undoing
from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
    Series,
)
from aniworld_site.library.naming import printable
from aniworld_site.library.placing import choose_name


@dataclass(frozen=True, kw_only=True)
class Renaming:
    """A file, and what it would be called."""

    file: EpisodeFile
    old: str
    """Relative to its root folder."""
    new: str


def trash_files(files: Iterable[EpisodeFile], *, by: str) -> list[FileOperation]:
    """Move files to the trash of their roots, with what lies beside them; their episodes are no longer wanted, so nothing fetches them again.

    Raises:
        DomainError: One cannot be moved; those before it are in the trash.
    """
    return [journal.carry_out(journal.plan_trash(file, by=by)) for file in files]


def undo_operation(operation: FileOperation, *, by: str) -> FileOperation:
    """Put back what an operation did, and return the one that did that. Raises as `undoing.undo`."""
    return undoing.undo(operation, by=by)


def preview_names(series: Series, template: str) -> list[Renaming]:
    """Return the files of a series that a template would call otherwise; those that hold several episodes or parts keep their names. Two queries.

    Raises:
        DomainError: The template is none.
    """
    found = []
    # Joined: SQLite takes no list of a thousand episodes.
    links = EpisodeFileLink.objects.select_related("episode__season__series")
    files = (
        EpisodeFile.objects.present()
        .filter(series=series, match=EpisodeFile.Match.LINKED)
        .select_related("root")
        .prefetch_related(Prefetch("links", links))
    )
    for file in files:
        held = list(file.links.all())
        if len(held) != 1 or held[0].part is not None:
            continue
        name = choose_name(
            held[0].episode,
            template=template,
            extension=os.path.splitext(str(file.name))[1],  # noqa: PTH122
        )
        new = f"{file.folder}/{name}" if file.folder else name
        if new != str(file):
            found.append(Renaming(file=file, old=str(file), new=new))
    return found


def rename_files(renamings: Sequence[Renaming], *, by: str) -> list[FileOperation]:
    """Give files other names, with what lies beside them, also where they change theirs with each other; nothing is ever overwritten.

    Raises:
        DomainError: Two would get one name, or a file that stays has it; then nothing is done. Or one cannot be moved.
    """
    _refuse_clashes(renamings)
    done: list[FileOperation] = []
    waiting = list(renamings)
    # None comes beside the companions of another that is still to go.
    held = Counter(_get_stem(each.file, str(each.file)) for each in waiting)
    while waiting:
        count = len(waiting)
        for each in list(waiting):
            if not held[_get_stem(each.file, each.new)] and not _is_taken(each):
                held[_get_stem(each.file, str(each.file))] -= 1
                done.append(_move(each.file, each.new, by=by))
                waiting.remove(each)
        if len(waiting) == count:
            # They go round in a circle: one steps aside, and is the last to be asked for it again.
            aside = waiting.pop(0)
            waiting.append(aside)
            held[_get_stem(aside.file, str(aside.file))] -= 1
            stem, extension = os.path.splitext(aside.new)  # noqa: PTH122
            done.append(_move(aside.file, f"{stem}.renaming{extension}", by=by))
            held[_get_stem(aside.file, str(aside.file))] += 1
    return done


def _get_stem(file: EpisodeFile, relative: str) -> tuple[int, str]:
    """Return what the companions of a file are called by that has this path below the file's root."""
    return file.root_id, os.path.splitext(relative)[0]  # noqa: PTH122


def _refuse_clashes(renamings: Sequence[Renaming]) -> None:
    targets = [(each.file.root_id, each.new) for each in renamings]
    moving = {(each.file.root_id, each.old) for each in renamings}
    for each, target in zip(renamings, targets, strict=True):
        if targets.count(target) > 1 or (target not in moving and _is_taken(each)):
            raise DomainError(
                f"{printable(each.new)} would be the name of two files: nothing was renamed."
            )


def _is_taken(renaming: Renaming) -> bool:
    return os.path.lexists(f"{renaming.file.root.path}/{renaming.new}")


def _move(file: EpisodeFile, relative: str, *, by: str) -> FileOperation:
    operation = journal.carry_out(journal.plan_move(file, relative, by=by))
    file.refresh_from_db()
    return operation
