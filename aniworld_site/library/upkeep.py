"""Looking after the journal: what was interrupted is finished, what was trashed long ago is deleted."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q, TextField, Value
from django.db.models.functions import Cast, Concat, Left, Substr
from django.utils import timezone

from aniworld_site.exceptions import DomainError
from aniworld_site.library import files
from aniworld_site.library.companions import delete_companions
from aniworld_site.library.fields import to_stored
from aniworld_site.library.journal import TRASH, carry_out, find_absence
from aniworld_site.library.models import FileOperation, RootFolder
from aniworld_site.library.sidecars import remove_sidecars

logger = logging.getLogger(__name__)

Kind, State = FileOperation.Kind, FileOperation.State

SETTLE_AFTER = timedelta(seconds=60)


def settle_operations(*, older_than: timedelta = SETTLE_AFTER) -> int:
    """Finish what was interrupted, or say why it cannot be; return how many ended.

    An import that a download refers to is left to whoever runs that: it may be paused or cancelled.
    """
    cutoff = timezone.now() - older_than
    ended = 0
    planned = FileOperation.objects.filter(state=State.PLANNED, made_at__lte=cutoff)
    ours = planned.filter(~Q(kind=Kind.IMPORT) | Q(downloads=None))
    for operation in ours.select_related("root"):
        try:
            carry_out(operation)
            ended += 1
        except DomainError as error:
            logger.warning("Operation %s: %s", operation.pk, error)
        except Exception:
            # Those behind it, and the trash, are not to wait for it.
            logger.exception("Operation %s broke off", operation.pk)
    _take_sidecars_along()
    return ended


def _take_sidecars_along() -> None:
    """Delete what an undone import wrote beside its file, where whoever undid it was killed before."""
    undone = FileOperation.objects.filter(kind=Kind.IMPORT, state=State.UNDONE)
    for operation in undone.exclude(sidecars=[]).select_related("root"):
        if not find_absence(operation.root):
            remove_sidecars(operation)


def empty_trash(*, older_than: timedelta) -> int:
    """Delete for good what was trashed so long ago; return how many files.

    Its disk has to say so, too, which times a rename by a clock of its own where it is another machine's. A disk of this one has no other clock:
    by how much that was behind when a file was trashed, the file is deleted too early.
    """
    cutoff = timezone.now() - older_than
    emptied = 0
    trashed = FileOperation.objects.filter(
        done_at__lte=cutoff, kind=Kind.TRASH, state=State.DONE
    ).select_related("root")
    for operation in trashed:
        try:
            is_gone = _delete(operation, trashed_before=cutoff)
        except OSError as error:
            logger.warning("Operation %s: %s", operation.pk, error)
            continue
        if is_gone:
            FileOperation.objects.filter(pk=operation.pk, state=State.DONE).update(
                state=State.EMPTIED
            )
            emptied += 1
    return emptied


def _delete(operation: FileOperation, *, trashed_before: datetime) -> bool:
    """Delete what was trashed; tell whether it is gone, be it by hand."""
    root, path = Path(operation.root.path), Path(operation.target)
    # Only what is the journal's own, at the place that it gave it; and where that is not mounted, nothing is known of it.
    if (
        not path.is_relative_to(root / TRASH)
        or find_absence(operation.root)
        or not (root / files.OWN_FOLDER).is_dir()
    ):
        return False
    found = files.identify(str(path))
    if found is not None:
        is_ours = found == (operation.inode, operation.size_bytes)
        if not is_ours or path.lstat().st_ctime > trashed_before.timestamp():
            return False
        path.unlink()
    if path.parent == root / TRASH / str(operation.pk):
        delete_companions(operation)
    files.remove_empty_folders(str(path.parent), root=str(root))
    return True


def move_operations(root: RootFolder, *, old: str, new: str) -> None:
    """Have the operations of a root name all places below its old path as below its new one, in the caller's transaction."""
    start = f"{to_stored(old)}/"
    operations = FileOperation.objects.filter(root=root)
    for name in ("source", "target", "original"):
        moved = Concat(Value(to_stored(new)), Substr(name, len(start)))
        below = operations.annotate(start=Left(name, len(start))).filter(start=start)
        below.update(**{name: Cast(moved, TextField())})
    described = list(operations.exclude(sidecars=[]).only("sidecars"))
    for operation in described:
        for note in operation.sidecars:
            if isinstance(note, dict) and note["path"].startswith(start):
                note["path"] = f"{to_stored(new)}/{note['path'].removeprefix(start)}"
    FileOperation.objects.bulk_update(described, ["sidecars"], batch_size=500)
