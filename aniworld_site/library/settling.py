"""The rows of a file operation whose file is at its new place: all in one transaction, once."""

from __future__ import annotations

import os

from django.db import transaction
from django.utils import timezone

from aniworld_site.library.matching import refresh_has_file, touch_series
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    FileOperation,
    RootFolder,
    SeriesFolder,
)
from aniworld_site.library.naming import printable
from aniworld_site.library.signals import series_changed

Kind, State = FileOperation.Kind, FileOperation.State


def settle_rows(operation: FileOperation) -> bool:
    """Write what an operation changed and that it is done, and announce the series concerned; False where another process was first."""
    mtime_ns = os.stat(operation.target).st_mtime_ns  # noqa: PTH116  # A path as it is stored.
    with transaction.atomic():
        done = FileOperation.objects.filter(
            pk=operation.pk, state=State.PLANNED
        ).update(state=State.DONE, done_at=timezone.now())
        if not done:
            return False
        episodes = set(operation.episodes) | _list_episodes_at_target(operation)
        file = _write_file(operation, mtime_ns)
        if file is not None:
            episodes |= set(file.links.values_list("episode_id", flat=True))
        refresh_has_file(episodes)
        _write_wanted(operation, episodes)
        _mark_undone(operation)
        changed = set(
            Episode.objects.filter(pk__in=episodes).values_list(
                "season__series_id", flat=True
            )
        )
        if operation.series_id is not None:
            changed.add(operation.series_id)
        touch_series(changed)
        # Here, where it joins what the saved rows announce of them: each is counted and told once.
        series_changed.send(FileOperation, series_ids=changed)
        FileOperation.objects.filter(pk=operation.pk).update(
            file=file, before=operation.before
        )
        # By it an empty folder is told from a disk that is not mounted, also before the next scan.
        present = EpisodeFile.objects.present().filter(root=operation.root)
        RootFolder.objects.filter(pk=operation.root_id).update(
            file_count=present.count()
        )
    return True


def _list_episodes_at_target(operation: FileOperation) -> set[int]:
    """Return what the row that has the new place already is linked to; it loses these links."""
    folder, name = _split(operation)
    links = EpisodeFileLink.objects.filter(
        file__root=operation.root, file__folder=folder, file__name=name
    )
    return set(links.values_list("episode_id", flat=True))


def _write_file(operation: FileOperation, mtime_ns: int) -> EpisodeFile | None:
    if operation.kind == Kind.IMPORT:
        return _add_file(operation, mtime_ns)
    file = operation.file
    if file is None:
        return None
    if operation.kind == Kind.TRASH:
        file.vanished_at = timezone.now()
        file.save(update_fields=["vanished_at"])
        return file
    folder, name = _split(operation)
    # A scan may have met the file at its new place meanwhile.
    EpisodeFile.objects.filter(root=operation.root, folder=folder, name=name).exclude(
        pk=file.pk
    ).delete()
    file.folder, file.name, file.vanished_at = folder, name, None
    file.mtime_ns, file.inode = mtime_ns, operation.inode
    file.save(update_fields=["folder", "name", "vanished_at", "mtime_ns", "inode"])
    return file


def _add_file(operation: FileOperation, mtime_ns: int) -> EpisodeFile:
    folder, name = _split(operation)
    episodes = Episode.objects.filter(pk__in=operation.episodes)
    episode_ids = list(episodes.values_list("pk", flat=True))
    file, _is_new = EpisodeFile.objects.update_or_create(
        root=operation.root,
        folder=folder,
        name=name,
        defaults={
            "size_bytes": operation.size_bytes,
            "mtime_ns": mtime_ns,
            "inode": operation.inode,
            "series": operation.series,
            "vanished_at": None,
            **_decide(operation, is_known=bool(episode_ids)),
        },
    )
    # Another file was there before.
    file.links.exclude(episode_id__in=episode_ids).delete()
    for episode_id in episode_ids:
        EpisodeFileLink.objects.update_or_create(
            file=file,
            episode_id=episode_id,
            defaults={"how": "download", "confidence": 1.0},
        )
    top = folder.partition("/")[0]
    if top and operation.series is not None:
        SeriesFolder.objects.get_or_create(
            root=operation.root,
            name=top,
            defaults={"series": operation.series, "reason": "Made for it."},
        )
        if not operation.series.folder:
            operation.series.folder = printable(top)[:300]
            operation.series.save(update_fields=["folder"])
    return file


def _decide(operation: FileOperation, *, is_known: bool) -> dict[str, object]:
    if not is_known:
        return {
            "match": EpisodeFile.Match.UNMATCHED,
            "is_locked": False,
            "reason": "Its episode was removed before it came.",
        }
    # It is known what it is: no reading of its name changes that.
    return {
        "match": EpisodeFile.Match.LINKED,
        "is_locked": True,
        "reason": operation.reason,
    }


def _write_wanted(operation: FileOperation, episodes: set[int]) -> None:
    rows = Episode.objects.filter(pk__in=episodes)
    if operation.kind == Kind.TRASH and (
        operation.undoes is None or operation.undoes.kind != Kind.IMPORT
    ):
        # Deleted on purpose: it is not fetched again. What an import brought by mistake is still wanted.
        gone = list(
            rows.filter(has_file=False, is_wanted=True).values_list("pk", flat=True)
        )
        Episode.objects.filter(pk__in=gone).update(is_wanted=False)
        operation.before = {"wanted": gone}
    elif operation.kind == Kind.RESTORE and operation.undoes is not None:
        wanted = operation.undoes.before.get("wanted", [])
        rows.filter(pk__in=wanted).update(is_wanted=True)


def _mark_undone(operation: FileOperation) -> None:
    if operation.undoes_id is not None:
        FileOperation.objects.filter(pk=operation.undoes_id, state=State.DONE).update(
            state=State.UNDONE, undone_at=timezone.now()
        )


def _split(operation: FileOperation) -> tuple[str, str]:
    relative = str(operation.target).removeprefix(f"{operation.root.path}/")
    folder, _, name = relative.rpartition("/")
    return folder, name
