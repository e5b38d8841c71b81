"""Files: of a series, new ones, and those that a person has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import (
    Prefetch,
    Q,
    QuerySet,
)

from aniworld_site.library.models import (
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Series,
    SeriesFolder,
)

_LINKS = Prefetch(
    "links",
    EpisodeFileLink.objects.select_related("episode__season").order_by(
        "episode__season__number", "episode__number", "part"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Files of one series that were added one after another."""

    series: Series | None
    files: Sequence[EpisodeFile]
    """Newest first."""

    @property
    def count(self) -> int:
        return len(self.files)

    @property
    def added_at(self) -> datetime:
        return self.files[0].added_at

    @property
    def labels(self) -> str:
        """Where the episodes begin and end, like "S01E01 to S01E12"."""
        labels = sorted(
            str(link.episode) for file in self.files for link in file.links.all()
        )
        return " to ".join(dict.fromkeys([labels[0], labels[-1]])) if labels else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedFolder:
    """Unmatched files that share the folder directly under their root."""

    root: RootFolder
    name: str
    """The folder's, "" for files in the root itself."""
    files: Sequence[EpisodeFile]
    series: Series | None
    """What the folder is known to be, if it is."""
    title: str
    """What the names say the series is called, to start from."""
    year: int | None


def count_unmatched() -> int:
    """Count the files that a person has to look at, in one query."""
    return EpisodeFile.objects.unmatched().count()


def list_series_files(series: Series) -> QuerySet[EpisodeFile]:
    """Return the linked and ignored files of a series with root, links and their episodes: three queries, whatever their number."""
    files = (
        EpisodeFile.objects.present()
        .filter(series=series)
        .exclude(match=EpisodeFile.Match.UNMATCHED)
    )
    return (
        files.select_related("root").prefetch_related(_LINKS).order_by("folder", "name")
    )


def list_series_unmatched(series: Series) -> list[EpisodeFile]:
    """Return up to 200 unmatched files that lie in the folders of a series (its `folders` must be there already), in one query."""
    inside = Q(series=series)
    for folder in series.folders.all():
        inside |= Q(root=folder.root_id) & (
            Q(folder=folder.name) | Q(folder__startswith=f"{folder.name}/")
        )
    return list(
        EpisodeFile.objects.unmatched()
        .filter(inside)
        .select_related("root")
        .order_by("folder", "name")[:200]
    )


def list_arrivals(*, among: int = 120, limit: int = 8) -> list[Arrival]:
    """Return what was added last, neighbours of one series taken together, in three queries over the newest `among` files."""
    newest = (
        EpisodeFile.objects.present()
        .exclude(match=EpisodeFile.Match.IGNORED)
        .select_related("series")
        .prefetch_related(_LINKS)
        .order_by("-pk")[:among]
    )
    runs = [
        list(files)
        for _series, files in groupby(newest, key=lambda file: file.series_id)
    ]
    return [Arrival(series=files[0].series, files=files) for files in runs[:limit]]


def list_unmatched(
    *, root_id: int | None = None, text: str = ""
) -> QuerySet[EpisodeFile]:
    """Return the unmatched files by root and folder, with root and series."""
    return _narrow(EpisodeFile.objects.unmatched(), root_id=root_id, text=text)


def list_ignored(
    *, root_id: int | None = None, text: str = ""
) -> QuerySet[EpisodeFile]:
    """Return the files that a person set aside, in the order of `list_unmatched`."""
    ignored = EpisodeFile.objects.present().filter(match=EpisodeFile.Match.IGNORED)
    return _narrow(ignored, root_id=root_id, text=text)


def group_unmatched(files: Iterable[EpisodeFile]) -> list[UnmatchedFolder]:
    """Group files, sorted as `list_unmatched` does, by the folder directly under their root. One query for what the folders are known to be."""
    groups = [
        (root, name, list(members))
        for (root, name), members in groupby(
            files, key=lambda file: (file.root, file.folder.partition("/")[0])
        )
    ]
    rows = SeriesFolder.objects.filter(
        root__in={root.pk for root, _name, _members in groups},
        name__in={name for _root, name, _members in groups},
    )
    known = {
        (row.root_id, row.name): row.series for row in rows.select_related("series")
    }
    return [
        UnmatchedFolder(
            root=root,
            name=name,
            files=members,
            series=known.get((root.pk, name)),
            title=_get_fact(members, "title") or name,
            year=_get_year(members),
        )
        for root, name, members in groups
    ]


def _get_fact(files: Iterable[EpisodeFile], name: str) -> str:
    return next(
        (
            text
            for file in files
            if isinstance(file.facts, dict)
            and isinstance(text := file.facts.get(name), str)
            and text
        ),
        "",
    )


def _get_year(files: Iterable[EpisodeFile]) -> int | None:
    return next(
        (
            year
            for file in files
            if isinstance(file.facts, dict)
            and isinstance(year := file.facts.get("year"), int)
        ),
        None,
    )


def _narrow(
    files: QuerySet[EpisodeFile], *, root_id: int | None, text: str
) -> QuerySet[EpisodeFile]:
    if root_id is not None:
        files = files.filter(root=root_id)
    if text:
        files = files.filter(Q(folder__icontains=text) | Q(name__icontains=text))
    return files.select_related("root", "series").order_by(
        "root__name", "folder", "name"
    )
