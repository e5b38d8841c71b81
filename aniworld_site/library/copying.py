"""A file that comes to another file system: its copy beside the place it goes to, and the original that goes after it."""

from __future__ import annotations

import errno
from pathlib import Path

from aniworld_site.library import files
from aniworld_site.library.models import FileOperation

FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class KeptError(Exception):
    """An original that may not be deleted, since its mount is read-only or its folder is somebody else's; the text is a sentence."""


def copy_beside(operation: FileOperation) -> None:
    """Have a copy of the file on the file system of its target, and go on with that."""
    beside = get_copy(operation)
    beside.unlink(missing_ok=True)
    try:
        files.copy(operation.source, str(beside))
    except OSError:
        # A part of it would take the room that is missing.
        beside.unlink(missing_ok=True)
        raise
    found = files.identify(str(beside))
    if found is None or found[1] != operation.size_bytes:
        raise OSError(errno.EIO, "the copy is not whole")
    operation.original = operation.original or operation.source
    operation.source, operation.inode = str(beside), found[0]
    operation.save(update_fields=["original", "source", "inode"])


def get_copy(operation: FileOperation) -> Path:
    """Return where a copy is made; before its row says so, too."""
    return Path(operation.target).parent / f".aniworld-{operation.pk}.part"


def remove_original(operation: FileOperation) -> None:
    """Delete what was copied to another file system, unless it is another file by now.

    Raises:
        KeptError: It may not be deleted.
        OSError: The disk refuses otherwise.
    """
    found = files.identify(operation.original) if operation.original else None
    if found is None or found[1] != operation.size_bytes:
        return
    try:
        Path(operation.original).unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        raise KeptError(
            f"{operation.original} cannot be deleted: {error.strerror}."
        ) from error


def take_back(operation: FileOperation) -> bool:
    """Delete the copy of what may not be deleted itself, from its place, too; tell whether the original is the only one."""
    mark = (operation.inode, operation.size_bytes)
    try:
        found = files.identify(operation.original)
        if found is None or found[1] != operation.size_bytes:
            return False
        if files.identify(operation.target) == mark:
            Path(operation.target).unlink()
    except OSError:
        return False
    left = str(Path(operation.target).parent)
    files.remove_empty_folders(left, root=operation.root.path)
    return True


def remove_copy(operation: FileOperation) -> None:
    """Delete a copy that goes nowhere, while what it was made of is there."""
    if operation.original and files.identify(operation.original) is not None:
        Path(operation.source).unlink(missing_ok=True)
