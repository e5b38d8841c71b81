"""Putting back what a file operation did, by another one."""

from __future__ import annotations

import os

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.journal import (
    carry_out,
    plan_move,
    plan_restore,
    plan_trash,
)
from aniworld_site.library.models import FileOperation
from aniworld_site.library.naming import printable
from aniworld_site.library.sidecars import remove_sidecars

Kind, State = FileOperation.Kind, FileOperation.State


def undo(operation: FileOperation, *, by: str) -> FileOperation:
    """Put back what an operation did, by another one, which is returned.

    Raises:
        DomainError: It is not done, its file is another one now or known at another place, or something else is in its place.
    """
    operation.refresh_from_db()
    if operation.state != State.DONE:
        raise DomainError(
            f"This {operation.get_kind_display()} is {operation.get_state_display()}: there is nothing to undo."
        )
    if operation.kind == Kind.RESTORE:
        raise DomainError("What came back from the trash can be trashed again.")
    if files.identify(operation.target) != (operation.inode, operation.size_bytes):
        raise DomainError(
            f"{printable(operation.target)} is not there any more, or is another file now: nothing was changed."
        )
    if operation.kind == Kind.TRASH:
        _refuse_taken(operation)
        return carry_out(plan_restore(operation, by=by))
    if operation.file is None:
        raise DomainError("The library does not know this file any more: scan first.")
    # A scan may have taken a copy elsewhere for the file, while it was away.
    if f"{operation.root.path}/{operation.file}" != operation.target:
        raise DomainError(
            f"The library takes {printable(str(operation.file))} for this file now: nothing was changed."
        )
    if operation.kind == Kind.IMPORT:
        inverse = plan_trash(operation.file, by=by, undoes=operation)
        done = carry_out(inverse)
        remove_sidecars(operation)
        return done
    _refuse_taken(operation)
    back = operation.came_from.removeprefix(f"{operation.root.path}/")
    return carry_out(plan_move(operation.file, back, by=by, undoes=operation))


def _refuse_taken(operation: FileOperation) -> None:
    if os.path.lexists(operation.came_from):
        raise DomainError(
            f"Something else is at {printable(operation.came_from)} now: nothing was changed."
        )
