"""What a person can do with root folders."""

from __future__ import annotations

import os
from pathlib import Path

from django.db import IntegrityError, transaction

from aniworld_site.exceptions import DomainError
from aniworld_site.library.matching import refresh_has_file
from aniworld_site.library.models import EpisodeFile, EpisodeFileLink, RootFolder, Scan
from aniworld_site.library.naming import printable
from aniworld_site.library.reconciling import series_of
from aniworld_site.library.services.announcing import announce_series, chunks
from aniworld_site.library.upkeep import move_operations

LONGEST_NAME = 80


def add_root(path: str, *, name: str = "") -> RootFolder:
    """Add a folder to the library. Nothing is read yet.

    Raises:
        DomainError: It is no folder that can be read, it is one of ours already or lies in or around one, or the name is taken.
    """
    real = check_root_path(path)
    for other in RootFolder.objects.all():
        if other.path == real:
            raise DomainError(
                f"{printable(real)} is in the library already, as {other.name}."
            )
        if f"{real}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(
            f"{real}/"
        ):
            raise DomainError(
                f"{printable(real)} and {printable(other.path)} ({other.name}) lie in one another: their files would be counted twice."
            )
    wanted = name.strip() or printable(Path(real).name) or printable(real)
    if len(wanted) > LONGEST_NAME:
        raise DomainError(
            f"A name has at most {LONGEST_NAME} characters, this one {len(wanted)}."
        )
    if RootFolder.objects.filter(name=wanted).exists():
        raise DomainError(
            f"The name {wanted} is taken by another root folder: choose another."
        )
    try:
        return RootFolder.objects.create(path=real, name=wanted)
    except IntegrityError:
        raise DomainError(
            f"{printable(real)} was added by somebody else at the same moment."
        ) from None


def check_root_path(path: str) -> str:
    """Return the path as the library keeps it: absolute, without links or a slash at its end.

    Raises:
        DomainError: It is not absolute, or no folder that can be read.
    """
    if "\0" in path or not Path(path).expanduser().is_absolute():
        raise DomainError(
            f"A root folder is given by its absolute path, like /media/series, not {printable(path)!r}."
        )
    real = os.path.realpath(Path(path).expanduser())
    try:
        with os.scandir(real):
            pass
    except FileNotFoundError:
        raise DomainError(f"{printable(real)} does not exist.") from None
    except NotADirectoryError:
        raise DomainError(
            f"{printable(real)} is a file: a root is a folder whose sub-folders are series."
        ) from None
    except OSError as error:
        raise DomainError(
            f"{printable(real)} cannot be read: {error.strerror or error}."
        ) from error
    if real == "/":
        raise DomainError(
            "The whole file system cannot be a root folder: choose the folder that holds your series."
        )
    return real


def move_root(root: RootFolder, path: str) -> None:
    """Say that a root folder is found by another path, as when its disk is mounted elsewhere; nothing on disk is touched.

    What was and will be done to its files is then at that path, too. `path` is as `check_root_path` returns it.
    """
    with transaction.atomic():
        stored = RootFolder.objects.select_for_update().get(pk=root.pk)
        move_operations(root, old=str(stored.path), new=path)
        root.path = path
        root.save(update_fields=["path"])


def remove_root(root: RootFolder) -> None:
    """Forget a root, its files and scans; nothing on disk is touched. Series and episodes stay, the latter as missing.

    Files go in portions, so that other writers get their turn; what is killed on the way is finished by asking again.

    Raises:
        DomainError: A scan of it is active.
    """
    if Scan.objects.active().filter(root=root).exists():
        raise DomainError(f"{root.name} is being scanned: cancel the scan first.")
    series_ids: set[int] = set()
    file_ids = EpisodeFile.objects.filter(root=root).values_list("pk", flat=True)
    for chunk in chunks(set(file_ids)):
        with transaction.atomic():
            links = EpisodeFileLink.objects.filter(file__in=chunk)
            episode_ids = set(links.values_list("episode_id", flat=True))
            series_ids |= series_of(chunk)
            EpisodeFile.objects.filter(pk__in=chunk).delete()
            refresh_has_file(episode_ids)
    root.delete()
    announce_series(series_ids)
