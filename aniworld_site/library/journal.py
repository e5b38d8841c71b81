"""The journal: what is to be done to a file is written before it is done, and finished or found impossible after a crash.

The only writer of an operation's state, and the only code that moves files. `carry_out` may be interrupted anywhere and called again,
by this or another process: the file is at its old place or at its new one, never at both for good and never over another.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.db import transaction

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.companions import find_companions, take_companions
from aniworld_site.library.copying import (
    KeptError,
    copy_beside,
    get_copy,
    remove_copy,
    remove_original,
    take_back,
)
from aniworld_site.library.files import PlaceError
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    FileOperation,
    RootFolder,
    Series,
)
from aniworld_site.library.naming import printable
from aniworld_site.library.settling import settle_rows
from aniworld_site.library.signals import operation_changed, root_changed
from aniworld_site.library.walking import offline_reason

logger = logging.getLogger(__name__)

Kind, State = FileOperation.Kind, FileOperation.State

TRASH, LOCKS = Path(files.OWN_FOLDER) / "trash", Path(files.OWN_FOLDER) / "locks"
ATTEMPTS = 20


class BusyError(DomainError):
    """Another process is at an operation: it is neither done nor failed."""


class GoneError(DomainError):
    """The file of an operation is neither at its old nor at its new place."""


# What is to be done


def plan_import(
    part: Path,
    *,
    episode: Episode,
    root: RootFolder,
    relative: str,
    by: str,
    reason: str = "",
) -> FileOperation:
    """Write down that a whole file comes into the library. `relative` is its path below the root. Only writes the row.

    Raises:
        DomainError: There is no such file.
    """
    return _plan(
        Kind.IMPORT,
        root=root,
        source=str(part),
        target=f"{root.path}/{relative}",
        series=episode.season.series,
        label=f"{episode.season.series} {episode}"[:300],
        episodes=[episode.pk],
        by=by,
        reason=reason[:300],
    )


def plan_move(
    file: EpisodeFile, relative: str, *, by: str, undoes: FileOperation | None = None
) -> FileOperation:
    """Write down that a file, with its companions, gets another name or folder in its root. Raises as `plan_import`."""
    target = f"{file.root.path}/{relative}"
    if relative == str(file):
        raise DomainError(f"{printable(relative)} is there already.")
    if os.path.normpath(target) != target or relative.startswith(files.OWN_FOLDER):
        raise DomainError(
            f"Expected a path below {file.root}, got {printable(relative)}."
        )
    return _plan_for(file, Kind.MOVE, target=target, by=by, undoes=undoes)


def plan_trash(
    file: EpisodeFile, *, by: str, undoes: FileOperation | None = None
) -> FileOperation:
    """Write down that a file goes to the trash of its root; its companions, too, unless that undoes an import. Raises as `plan_import`, and where it is done or planned already."""
    with transaction.atomic():
        _refuse_trashed(file)
        operation = _plan_for(file, Kind.TRASH, target="", by=by, undoes=undoes)
        operation.target = str(
            Path(file.root.path) / TRASH / str(operation.pk) / str(file.name)
        )
        operation.save(update_fields=["target"])
    return operation


def _refuse_trashed(file: EpisodeFile) -> None:
    """Refuse what goes to the trash by another click already, which would fail once that is done."""
    # Held until the row of the first is there.
    EpisodeFile.objects.select_for_update().filter(pk=file.pk).first()
    trashed = FileOperation.objects.filter(file=file, kind=Kind.TRASH)
    is_there = files.identify(f"{file.root.path}/{file}") is not None
    ends = [State.PLANNED] if is_there else [State.PLANNED, State.DONE]
    if trashed.filter(state__in=ends).exists():
        raise DomainError(
            f"{printable(str(file))} is in the trash already, or on its way there."
        )


def plan_restore(trashed: FileOperation, *, by: str) -> FileOperation:
    """Write down that a file comes back from the trash, with what went there with it. Raises as `plan_import`."""
    return _plan(
        Kind.RESTORE,
        root=trashed.root,
        source=str(trashed.target),
        target=trashed.came_from,
        companions=find_companions(str(trashed.target)),
        series=trashed.series,
        file=trashed.file,
        label=trashed.label,
        episodes=trashed.episodes,
        by=by,
        undoes=trashed,
    )


def _plan_for(
    file: EpisodeFile,
    kind: FileOperation.Kind,
    *,
    target: str,
    by: str,
    undoes: FileOperation | None,
) -> FileOperation:
    episodes = list(file.episodes.select_related("season__series"))
    named = ", ".join(map(str, episodes)) or printable(str(file.name))
    source = f"{file.root.path}/{file}"
    # An import brought none: what it wrote beside its file is deleted when it is undone, what others did is theirs.
    is_alone = undoes is not None and undoes.kind == Kind.IMPORT
    return _plan(
        kind,
        root=file.root,
        source=source,
        target=target,
        companions=[] if is_alone else find_companions(source),
        series=file.series,
        file=file,
        label=f"{file.series or ''} {named}".strip()[:300],
        episodes=[episode.pk for episode in episodes],
        by=by,
        undoes=undoes,
    )


def _plan(
    kind: FileOperation.Kind,
    *,
    root: RootFolder,
    source: str,
    target: str,
    series: Series | None,
    **fields: object,
) -> FileOperation:
    found = files.identify(source)
    if found is None:
        raise DomainError(f"{printable(source)} is not there any more.")
    inode, size = found
    operation = FileOperation.objects.create(
        kind=kind,
        root=root,
        source=source,
        target=target,
        series=series,
        inode=inode,
        size_bytes=size,
        **fields,
    )
    operation_changed.send(FileOperation, operation=operation)
    return operation


# Doing it


def carry_out(operation: FileOperation) -> FileOperation:
    """Do what is planned, or what is left of it, and return the operation as it is then. Done twice, the second finds it done.

    Raises:
        BusyError: Another process is at it.
        DomainError: It cannot be done. An import may be tried again; of anything else nothing has happened, and it failed.
    """
    operation.refresh_from_db()
    if operation.state == State.PLANNED:
        with _alone(operation):
            _carry_out_alone(operation)
    if operation.state == State.FAILED:
        raise DomainError(operation.error)
    return operation


def abandon(operation: FileOperation, reason: str) -> FileOperation:
    """End a planned import that nobody wants any more, and return it as it is then. Done twice, the second finds it ended.

    What is at its place in the library already is finished, and can be undone. Else the import fails for the `reason`, a sentence; what was
    to be brought in stays where it was, without the copy that was made of it.

    Raises:
        BusyError: Another process is at it: try later.
        DomainError: Its root folder is away, or the disk refuses: try later.
    """
    if operation.kind != Kind.IMPORT:
        raise ValueError(f"Expected an import, got a {operation.kind}.")
    operation.refresh_from_db()
    if operation.state == State.PLANNED:
        with _alone(operation):
            _abandon_alone(operation, reason)
    return operation


def _abandon_alone(operation: FileOperation, reason: str) -> None:
    if operation.state != State.PLANNED:
        return
    mark = (operation.inode, operation.size_bytes)
    try:
        is_there = files.identify(operation.target) == mark
        if not is_there:
            get_copy(operation).unlink(missing_ok=True)
    except OSError as error:
        raise DomainError(_describe(operation, error)) from error
    if is_there:
        _carry_out_alone(operation)
    else:
        _fail(operation, reason)


@contextmanager
def _alone(operation: FileOperation) -> Iterator[None]:
    """Be the only process that is at an operation, as it is by then."""
    # What is not mounted says nothing of its files.
    if reason := find_absence(operation.root):
        raise DomainError(f"{printable(operation.target)}: {reason}")
    lock = Path(operation.root.path) / LOCKS / str(operation.pk)
    with ExitStack() as held:
        # Copying to another disk takes minutes, in which the next look at what is planned would begin it again, or say that it failed.
        try:
            held.enter_context(files.holding(lock))
        except files.LockedError:
            raise BusyError(
                f"{printable(operation.target)}: another process is at it."
            ) from None
        except OSError as error:
            # One that is there may be held by another user's process.
            if os.path.lexists(lock):
                raise DomainError(_describe(operation, error)) from error
            raise _give_up(operation, error) from error
        operation.refresh_from_db()
        yield


def _carry_out_alone(operation: FileOperation) -> None:
    if operation.state != State.PLANNED:
        return
    try:
        _bring(operation)
        # Before it is done: nobody comes back to what is.
        remove_original(operation)
        take_companions(operation)
        is_first = settle_rows(operation)
    except GoneError as error:
        _fail(operation, str(error))
        raise
    except (OSError, PlaceError, KeptError) as error:
        raise _give_up(operation, error) from error
    operation.refresh_from_db()
    if is_first:
        root_changed.send(RootFolder, root=operation.root)
        operation_changed.send(FileOperation, operation=operation)
    _tidy(operation)


def _bring(operation: FileOperation) -> None:
    """Have the file at its new place; the target's name changes where another file has it."""
    root = operation.root.path
    for _attempt in range(ATTEMPTS):
        mark = (operation.inode, operation.size_bytes)
        here = files.identify(operation.source)
        if files.identify(operation.target) == mark:
            # Where a name cannot be moved, a second one is made first: a crash leaves both.
            if here == mark:
                files.remove_second_name(operation.source, operation.target)
            return
        if here != mark:
            raise GoneError(
                f"{printable(operation.source)} is gone, or is another file now."
            )
        files.make_folders(root, str(Path(operation.target).parent))
        _try_rename(operation)
    raise OSError(errno.EEXIST, "its name is taken again and again")


def find_absence(root: RootFolder) -> str:
    """Return why nothing may be concluded from a root folder, as a sentence; "" where it is there."""
    return offline_reason(root.path, holds_files=root.file_count > 0)


def _try_rename(operation: FileOperation) -> None:
    """Give the file its new name, or prepare what the next try needs."""
    if os.path.lexists(operation.target):
        _choose_other_name(operation)
    try:
        files.rename(operation.source, operation.target)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_beside(operation)


def _choose_other_name(operation: FileOperation) -> None:
    if operation.kind == Kind.MOVE:
        raise FileExistsError(errno.EEXIST, "something else is there already")
    operation.target = files.find_free(operation.target)
    # Written before it is used: after a crash the file is looked for there.
    operation.save(update_fields=["target"])


def _give_up(operation: FileOperation, error: Exception) -> DomainError:
    """Return why it cannot be done; it fails, unless it is an import, or at its new place, where only the rest is to be done again."""
    said = _describe(operation, error)
    if operation.kind != Kind.IMPORT and _is_back(operation, error):
        _fail(operation, said)
    return DomainError(said)


def _is_back(operation: FileOperation, error: Exception) -> bool:
    """Have the file at its old place alone, and tell whether it is there."""
    if isinstance(error, KeptError):
        return take_back(operation)
    mark = (operation.inode, operation.size_bytes)
    try:
        if files.identify(operation.source) != mark:
            return False
    except OSError:
        return False
    with suppress(OSError):
        if operation.original:
            remove_copy(operation)
        # The second name that could be made, where the first could not be taken away.
        elif files.identify(operation.target) == mark:
            files.remove_second_name(operation.target, operation.source)
    return True


def _fail(operation: FileOperation, reason: str) -> None:
    failed = FileOperation.objects.filter(pk=operation.pk, state=State.PLANNED).update(
        state=State.FAILED, error=reason[:500]
    )
    if failed:
        operation.refresh_from_db()
        operation_changed.send(FileOperation, operation=operation)


def _tidy(operation: FileOperation) -> None:
    if operation.kind in (Kind.TRASH, Kind.RESTORE, Kind.MOVE):
        left = str(Path(operation.came_from).parent)
        files.remove_empty_folders(left, root=operation.root.path)


def _describe(operation: FileOperation, error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return printable(f"{operation.target}: {(said or str(error)).rstrip('.')}.")
