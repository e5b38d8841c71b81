"""Moving files so that nothing is ever overwritten and nothing is lost with the power. No database."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

AT_FDCWD, RENAME_NOREPLACE = -100, 1
CHUNK = 1 << 20
OWN_FOLDER = ".aniworld"
"""In each root folder: what is on its way, what is in the trash. Hidden, so that scans and media centres pass over it."""
SIGN_BIT = 1 << 63
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class LockedError(Exception):
    """Another process has a lock file."""


class PlaceError(Exception):
    """A place outside of the root folder; the text is a sentence."""


def identify(path: str) -> tuple[int, int] | None:
    """Return inode (as a signed number) and size of a regular file; None where there is none."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    inode = found.st_ino if found.st_ino < SIGN_BIT else found.st_ino - 2 * SIGN_BIT
    return inode, found.st_size


def rename(source: str, target: str) -> None:
    """Give a file another name on the same file system, never over another file; both folders are on the disk afterwards.

    Raises:
        FileExistsError: Something is there.
        OSError: EXDEV for another file system, or whatever the system says.
    """
    _rename_exclusively(source, target)
    sync_folder(os.path.dirname(target))  # noqa: PTH120  # A path as it is stored.
    if os.path.dirname(source) != os.path.dirname(target):  # noqa: PTH120
        sync_folder(os.path.dirname(source))  # noqa: PTH120


def _rename_exclusively(source: str, target: str) -> None:
    if _libc is not None and hasattr(_libc, "renameat2"):
        failed = _libc.renameat2(
            AT_FDCWD,
            os.fsencode(source),
            AT_FDCWD,
            os.fsencode(target),
            RENAME_NOREPLACE,
        )
        if not failed:
            return
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(code, os.strerror(code), source, None, target)
    # Some network and FUSE file systems know no such flag: a second name is refused where one is.
    os.link(source, target, follow_symlinks=False)
    os.unlink(source)  # noqa: PTH108


def remove_second_name(path: str, kept: str) -> None:
    """Take one of a file's two names away; one that is gone is no error.

    Raises:
        FileExistsError: It has but one name, and both paths lead to that.
    """
    try:
        names = os.lstat(path).st_nlink
    except FileNotFoundError:
        return
    if names < 2 or _resolve(path) == _resolve(kept):
        raise FileExistsError(errno.EEXIST, "it is there already, by another way")
    os.unlink(path)  # noqa: PTH108


def _resolve(path: str) -> str:
    """Return a path with the links of its folder followed, but not one that it is itself."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


def copy(source: str, target: str) -> None:
    """Copy a file to a name that must be free, and have it on the disk."""
    with open(source, "rb") as read, open(target, "xb") as written:  # noqa: PTH123
        while chunk := read.read(CHUNK):
            written.write(chunk)
        written.flush()
        os.fsync(written.fileno())
    sync_folder(os.path.dirname(target))  # noqa: PTH120


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Be the only process that has a lock file; the system lets go of it when the process ends.

    Raises:
        LockedError: Another has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not _lock(fd, path):
            raise LockedError(f"{path} is locked.")
        try:
            yield
        finally:
            # One that is left is nobody's.
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(fd)


def _lock(fd: int, path: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it may have deleted it meanwhile: a lock on what has no name keeps nobody out.
        return path.stat().st_ino == os.fstat(fd).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def make_folders(root: str, folder: str) -> None:
    """Make a folder below a root, with those above it; nothing is made where the way leads out of the root.

    Raises:
        PlaceError: It is not below the root, or a link on the way leads elsewhere.
        OSError: The root is not there, or cannot be written.
    """
    inside = os.path.realpath(root)
    if not os.path.isdir(inside):  # noqa: PTH112
        raise FileNotFoundError(errno.ENOENT, "The root folder is not there", root)
    if not Path(folder).is_relative_to(root):
        raise PlaceError(f"{folder} is not in the root folder {root}.")
    here = root
    for part in Path(folder).relative_to(root).parts:
        above, here = here, os.path.join(here, part)  # noqa: PTH118
        try:
            os.mkdir(here)  # noqa: PTH102
        except FileExistsError:
            pass
        else:
            sync_folder(above)
        if not is_inside(here, root):
            raise PlaceError(f"{here} leads out of its root folder, by a link.")


def is_inside(path: str, root: str) -> bool:
    """Tell whether a path, its links followed, is below a root."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def sync_folder(folder: str) -> None:
    """Have the disk hold the names in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some file systems have nothing to sync there.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def find_free(path: str) -> str:
    """Return the path, or one like it with a number where something is there: "x (2).mkv"."""
    stem, extension = os.path.splitext(path)  # noqa: PTH122
    return next(
        candidate
        for number in count(1)
        if not os.path.lexists(
            candidate := path if number == 1 else f"{stem} ({number}){extension}"
        )
    )


def remove_empty_folders(folder: str, *, root: str) -> None:
    """Delete a folder of ours and those above it while they are empty, never the root."""
    while folder != root and Path(folder).is_relative_to(root):
        try:
            os.rmdir(folder)  # noqa: PTH106
        except OSError:
            return
        folder = os.path.dirname(folder)  # noqa: PTH120
