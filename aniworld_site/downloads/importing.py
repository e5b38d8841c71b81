"""From a whole partial file to an episode of the library, and the partial files that are left."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from django.db import transaction

from aniworld_site.downloads import transitions
from aniworld_site.downloads.models import Download
from aniworld_site.downloads.ordering import get_queue
from aniworld_site.downloads.outcomes import note_success
from aniworld_site.downloads.transfer.parts import Part, PartBusyError, remove_part
from aniworld_site.exceptions import DomainError
from aniworld_site.library import files, journal
from aniworld_site.library.files import OWN_FOLDER
from aniworld_site.library.models import Episode, FileOperation, RootFolder
from aniworld_site.library.placing import choose_place
from aniworld_site.library.sidecars import write_sidecars

logger = logging.getLogger(__name__)

State = FileOperation.State

PARTS = Path(OWN_FOLDER) / "partial"
"""Below the root folder: on the same file system as the place that the file goes to, and hidden from scans and media centres."""

ORPHAN_S = 24 * 3600


def get_part_path(download: Download) -> Path:
    """Return where a download's bytes are kept until they are whole; it must have a root folder."""
    assert download.root is not None  # noqa: S101  # Told to the type checker.
    return Path(download.root.path) / PARTS / f"{download.pk}.part"


def find_operation(download: Download) -> FileOperation | None:
    """Return the operation that brings a download's file into the library, while that can still be done or is.

    One that was undone, failed or whose file is gone is forgotten with the bytes that it had: they are fetched again.

    Raises:
        DomainError: Its root folder is not there, so that nobody can tell.
    """
    operation = download.operation
    if operation is None or operation.state == State.PLANNED:
        return operation
    if operation.state == State.DONE:
        if reason := journal.find_absence(operation.root):
            raise DomainError(reason)
        mark = (operation.inode, operation.size_bytes)
        if files.identify(operation.target) == mark:
            return operation
    Download.objects.filter(pk=download.pk).update(operation=None, bytes_done=0)
    download.operation, download.bytes_done = None, 0
    return None


def bring_in(download: Download) -> None:
    """Put a whole file into the library and end its download. May be interrupted and called again at any time.

    Raises:
        DomainError: It cannot be done now; what came is kept where it is.
        LeaseLostError: The download is not this process's any more.
    """
    operation = download.operation or _plan(download)
    try:
        operation = journal.carry_out(operation)
    except DomainError:
        operation.refresh_from_db()
        if operation.state == State.FAILED:
            # Its bytes are gone: the next try fetches them again.
            Download.objects.filter(pk=download.pk).update(operation=None, bytes_done=0)
        raise
    if download.state != Download.State.IMPORTING:
        transitions.begin_importing(download, operation)
    remove_part(get_part_path(download))
    # Before it is finished: nobody comes back to what is.
    if get_queue().writes_nfo:
        write_sidecars(operation)
    transitions.finish(download)
    note_success(download.source_id)


def _plan(download: Download) -> FileOperation:
    assert download.root is not None  # noqa: S101  # Told to the type checker.
    episode = Episode.objects.select_related("season__series").get(
        pk=download.episode_id
    )
    if not RootFolder.objects.filter(pk=download.root.pk).exists():
        raise DomainError("Its root folder was removed: it gets another one.")
    place = choose_place(
        episode,
        download.root,
        template=get_queue().template,
        extension=download.extension,
    )
    # Together: nobody finishes an operation whose download was taken away in this moment.
    with transaction.atomic():
        operation = journal.plan_import(
            get_part_path(download),
            episode=episode,
            root=download.root,
            relative=place,
            by=download.requested_by,
            reason=f"Fetched from {download.source}." if download.source else "",
        )
        transitions.begin_importing(download, operation)
    return operation


def abandon_imports() -> None:
    """End what was to bring in the files of downloads that were cancelled since; one whose file is in the library already is finished."""
    cancelled = Download.objects.filter(
        state=Download.State.CANCELLED, operation__state=State.PLANNED
    ).select_related("operation__root")
    for download in cancelled:
        assert download.operation is not None  # noqa: S101  # The query asks for it.
        try:
            journal.abandon(download.operation, "Its download was cancelled.")
        except DomainError as error:
            logger.info("Download %s: %s", download.pk, error)


def drop_parts() -> None:
    """Delete the partial files of downloads that were cancelled with them; those being written are left for the next time."""
    dropped = Download.objects.filter(
        drops_part=True, state=Download.State.CANCELLED
    ).select_related("root")
    for download in dropped:
        if drop_part(download):
            Download.objects.filter(pk=download.pk, drops_part=True).update(
                drops_part=False, bytes_done=0
            )


def drop_part(download: Download) -> bool:
    """Delete a download's partial file unless somebody writes it; tell whether it is gone."""
    if download.root is None:
        return True
    path = get_part_path(download)
    if not path.parent.is_dir():
        return True
    try:
        # Locked while it is deleted: a child that still writes it comes to its end first.
        part = Part(path)
    except (PartBusyError, OSError):
        return False
    try:
        remove_part(path)
        # What yt-dlp has on the way, of which there may be several.
        for each in path.parent.glob(f"{download.pk}.video*"):
            each.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("A partial file cannot be deleted: %s", error)
        return False
    finally:
        part.close()
    return True


def drop_orphans() -> None:
    """Delete partial files whose downloads are in no list any more, once nobody wrote them for a day."""
    lately = time.time() - ORPHAN_S
    for root in RootFolder.objects.all():
        try:
            names = os.listdir(Path(root.path) / PARTS)  # noqa: PTH208  # Names alone.
        except OSError:
            continue
        pks = {int(stem) for name in names if (stem := name.split(".")[0]).isdigit()}
        known = set(Download.objects.filter(pk__in=pks).values_list("pk", flat=True))
        for pk in pks - known:
            orphan = Download(pk=pk, root=root)
            path = get_part_path(orphan)
            # Those of another site that shares the folder are written.
            if not path.exists() or path.stat().st_mtime < lately:
                drop_part(orphan)
