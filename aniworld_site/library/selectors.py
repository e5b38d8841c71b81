"""Reads that a page or a room needs. Each states its queries; none grows with the rows it returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce

from aniworld_site.disks import METER, Disk
from aniworld_site.library.models import (
    ACTIVE_STATES,
    MISSING,
    Episode,
    EpisodeFile,
    EpisodeFileLink,
    RootFolder,
    Scan,
    Season,
    Series,
    SeriesFolder,
)

FILTERS = {
    "monitored": Q(is_monitored=True),
    "unmonitored": Q(is_monitored=False),
    "missing": Exists(Episode.objects.filter(MISSING, season__series=OuterRef("pk"))),
    "complete": Exists(Episode.objects.filter(season__series=OuterRef("pk")))
    & ~Exists(Episode.objects.filter(MISSING, season__series=OuterRef("pk"))),
}
SORTS = {
    "title": (F("sort_title").asc(), F("pk").asc()),
    "-added": (F("added_at").desc(), F("pk").desc()),
    "-changed": (F("changed_at").desc(), F("pk").desc()),
    "missing": (F("missing_order").desc(), F("sort_title").asc(), F("pk").asc()),
    "year": (F("year").desc(nulls_last=True), F("sort_title").asc(), F("pk").asc()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the whole library holds."""

    series: int
    episodes: int
    have: int
    missing: int


@dataclass(slots=True, kw_only=True)
class RootState:
    """A root folder with what its page tells of it."""

    root: RootFolder
    unmatched: int
    """Files that a person has to look at."""
    series_count: int
    last_scan: Scan | None
    """The newest that ended."""
    active_scan: Scan | None
    disk: Disk | None = None
    """`None` for one that is offline, does not answer or was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should look at."""

    kind: str
    """offline, held, failed or unmatched."""
    root: RootFolder | None = None
    scan: Scan | None = None
    count: int = 0


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
class Cell:
    """One episode in the grid of its season."""

    pk: int
    text: str
    """Its number, or its label where it has one."""
    title: str
    state: str
    """there, several, missing, unwanted or absent (a special that is not there counts for nothing)."""
    files: int


@dataclass(slots=True, kw_only=True)
class SeasonGrid:
    """A season as a grid of its episodes."""

    number: int
    name: str
    cells: list[Cell] = field(default_factory=list)
    is_open: bool = False
    """Shown unfolded at first."""

    @property
    def have(self) -> int:
        return sum(cell.files > 0 for cell in self.cells)

    @property
    def missing(self) -> int:
        return sum(cell.state == "missing" for cell in self.cells)


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


def get_totals() -> Totals:
    """Count the whole library, in two queries."""
    counts = Episode.objects.aggregate(
        episodes=Count("pk"),
        have=Count("pk", filter=Q(has_file=True)),
        missing=Count("pk", filter=MISSING),
    )
    return Totals(series=Series.objects.count(), **counts)


def count_unmatched() -> int:
    """Count the files that a person has to look at, in one query."""
    return EpisodeFile.objects.unmatched().count()


def list_roots() -> list[RootState]:
    """Return the root folders by name, without their disks, in two queries."""
    latest = Scan.objects.filter(root=OuterRef("pk")).order_by("-requested_at", "-pk")
    unmatched = EpisodeFile.objects.unmatched().filter(root=OuterRef("pk"))
    folders = SeriesFolder.objects.filter(root=OuterRef("pk"), series__isnull=False)
    roots = RootFolder.objects.annotate(
        unmatched=_count(unmatched),
        series_count=_count(folders, of="series"),
        last_id=Subquery(latest.exclude(state__in=ACTIVE_STATES).values("pk")[:1]),
        active_id=Subquery(latest.active().values("pk")[:1]),
    )
    scans = Scan.objects.in_bulk(
        {pk for root in roots for pk in (root.last_id, root.active_id) if pk}
    )
    return [
        RootState(
            root=root,
            unmatched=root.unmatched,
            series_count=root.series_count,
            last_scan=scans.get(root.last_id),
            active_scan=scans.get(root.active_id),
        )
        for root in roots
    ]


def list_measured_roots() -> list[RootState]:
    """Return what `list_roots` does, and ask the disks of those that are online."""
    states = list_roots()
    disks = METER.measure(state.root.path for state in states if state.root.is_online)
    for state in states:
        state.disk = disks.get(state.root.path)
    return states


def list_notices() -> list[Notice]:
    """Return what needs a person, the most pressing first, in three queries."""
    states, unmatched = list_roots(), count_unmatched()
    roots = [state.root for state in states]
    notices = [
        Notice(kind="held", root=root, count=root.held_vanished)
        for root in roots
        if root.held_vanished
    ]
    notices += [
        Notice(kind="offline", root=root) for root in roots if not root.is_online
    ]
    for state in states:
        scan = state.last_scan
        if state.root.is_online and scan and scan.state == Scan.State.FAILED:
            notices.append(Notice(kind="failed", root=state.root, scan=scan))
    return notices + ([Notice(kind="unmatched", count=unmatched)] if unmatched else [])


def list_series(
    *, text: str = "", only: str = "", root_id: int | None = None, sort: str = "title"
) -> QuerySet[Series]:
    """Return the series that match every word of `text` and the filter, sorted, without their counts (see `add_counts`)."""
    found: QuerySet[Series] = Series.objects.all()
    for word in text.split()[:8]:
        found = found.filter(
            Q(title__icontains=word)
            | Q(key__icontains=word)
            | (Q(year=int(word)) if word.isdecimal() and len(word) == 4 else Q())
        )
    if only in FILTERS:
        found = found.filter(FILTERS[only])
    if root_id is not None:
        found = found.filter(
            Exists(SeriesFolder.objects.filter(series=OuterRef("pk"), root=root_id))
        )
    if sort == "missing":
        found = found.annotate(missing_order=_count_missing())
    return found.order_by(*SORTS.get(sort, SORTS["title"]))


def add_counts(page: Iterable[Series]) -> list[Series]:
    """Return the same series in the same order with `episode_count`, `have_count` and `missing_count`, in one query.

    Counting for the rows of one page only is what keeps a library of 30,000 series quick.
    """
    keys = [series.pk for series in page]
    counted = Series.objects.with_counts().in_bulk(keys)
    return [counted[key] for key in keys if key in counted]


def find_series(text: str) -> list[Series]:
    """Return the series that a person means by its key, or by its title with or without the year; several when that is not clear. One query."""
    text = text.strip()
    found = Series.objects.filter(
        Q(key=text.lower())
        | Q(title__iexact=text)
        | Q(title__iexact=_without_year(text))
    )[:5]
    exact = [
        series for series in found if text.lower() in {series.key, str(series).lower()}
    ]
    return exact if len(exact) == 1 else list(found)


def get_series(key: str) -> Series | None:
    """Return a series with its counts and `folders`, in two queries."""
    return (
        Series.objects.with_counts()
        .prefetch_related(
            Prefetch("folders", SeriesFolder.objects.select_related("root"))
        )
        .filter(key=key)
        .first()
    )


def list_seasons(series: Series) -> list[SeasonGrid]:
    """Return the seasons with a cell for each episode, specials last, in two queries."""
    grids = {
        season.pk: SeasonGrid(number=season.number, name=str(season))
        for season in Season.objects.filter(series=series)
    }
    links = EpisodeFileLink.objects.filter(
        episode=OuterRef("pk"), file__vanished_at=None
    )
    rows = (
        Episode.objects.filter(season__series=series)
        .annotate(file_total=_count(links))
        .order_by("number", "label")
    )
    for (
        pk,
        season,
        number,
        label,
        title,
        has_file,
        is_wanted,
        files,
    ) in rows.values_list(
        "pk",
        "season",
        "number",
        "label",
        "title",
        "has_file",
        "is_wanted",
        "file_total",
    ):
        grid = grids[season]
        state = _get_state(
            is_there=has_file,
            files=files,
            is_wanted=is_wanted,
            is_special=grid.number == 0,
        )
        grid.cells.append(
            Cell(
                pk=pk,
                text=label or str(number),
                title=title,
                state=state,
                files=max(files, int(has_file)),
            )
        )
    seasons = sorted(grids.values(), key=lambda grid: (grid.number == 0, grid.number))
    is_small = sum(len(grid.cells) for grid in seasons) <= 150
    first_missing = next(
        (grid for grid in seasons if grid.missing), seasons[0] if seasons else None
    )
    for grid in seasons:
        grid.is_open = is_small or grid is first_missing
    return seasons


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


def list_active_scans() -> list[Scan]:
    """Return the scans that wait or run, the first requested first, in one query."""
    return list(
        Scan.objects.active()
        .select_related("root", "series")
        .order_by("requested_at", "pk")
    )


def list_ended_scans() -> QuerySet[Scan]:
    """Return the scans that ended, the newest first, with root and series."""
    ended = Scan.objects.exclude(state__in=ACTIVE_STATES)
    return ended.select_related("root", "series")


def get_scan(pk: int) -> Scan | None:
    """Return a scan with root and series, in one query."""
    return Scan.objects.select_related("root", "series").filter(pk=pk).first()


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


def list_new_series(*, limit: int = 8) -> list[Series]:
    """Return the series added last with their counts, in two queries."""
    return add_counts(Series.objects.order_by("-pk")[:limit])


def list_unmatched(
    *, root_id: int | None = None, text: str = ""
) -> QuerySet[EpisodeFile]:
    """Return the unmatched files by root and folder, with root and series."""
    files = (
        EpisodeFile.objects.unmatched()
        .select_related("root", "series")
        .order_by("root__name", "folder", "name")
    )
    if root_id is not None:
        files = files.filter(root=root_id)
    return (
        files.filter(Q(folder__icontains=text) | Q(name__icontains=text))
        if text
        else files
    )


def list_ignored() -> QuerySet[EpisodeFile]:
    """Return the files that a person set aside, by root and folder."""
    return (
        EpisodeFile.objects.present()
        .filter(match=EpisodeFile.Match.IGNORED)
        .select_related("root", "series")
        .order_by("root__name", "folder", "name")
    )


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


_LINKS = Prefetch(
    "links",
    EpisodeFileLink.objects.select_related("episode__season").order_by(
        "episode__season__number", "episode__number", "part"
    ),
)


def _get_state(*, is_there: bool, files: int, is_wanted: bool, is_special: bool) -> str:
    if is_there or files:
        return "several" if files > 1 else "there"
    if not is_wanted:
        return "unwanted"
    return "absent" if is_special else "missing"


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


def _without_year(text: str) -> str:
    title, separator, year = text.rpartition(" (")
    return (
        title
        if separator and len(year) == 5 and year.endswith(")") and year[:4].isdecimal()
        else text
    )


def _count(
    rows: QuerySet[EpisodeFile] | QuerySet[SeriesFolder] | QuerySet[EpisodeFileLink],
    *,
    of: str = "pk",
) -> Coalesce:
    counted = (
        rows.order_by()
        .annotate(group=Value(1))
        .values("group")
        .annotate(total=Count(of, distinct=of != "pk"))
        .values("total")
    )
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _count_missing() -> Coalesce:
    missing = (
        Episode.objects.filter(MISSING, season__series=OuterRef("pk"))
        .order_by()
        .annotate(group=Value(1))
        .values("group")
        .annotate(total=Count("pk"))
    )
    return Coalesce(Subquery(missing.values("total"), output_field=IntegerField()), 0)
