"""Which series a folder directly under a root is. What cannot be told is left to a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import count
from operator import or_
from pathlib import Path

from django.db.models import Q

from aniworld_site.library.models import RootFolder, Series, SeriesFolder
from aniworld_site.library.naming import (
    FolderContext,
    ParsedName,
    make_key,
    match_key,
    printable,
)
from aniworld_site.library.nfo import NfoError, read_ids
from aniworld_site.library.walking import NFO_NAME

MADE = "Made from the folder's name."
ById = dict[tuple[str, str], list[Series]]
ByTitle = dict[tuple[str, int | None], list[Series]]


@dataclass(slots=True, kw_only=True)
class Candidate:
    """A folder that nobody has said the series of, with what its name, its tvshow.nfo and its files say."""

    name: str
    """"" stands for a file in the root itself, whose name speaks for it."""
    context: FolderContext
    ids: Mapping[str, str] = field(default_factory=dict)
    nfo_mtime_ns: int | None = None
    titles: Sequence[str] = ()
    """Distinct titles in the names of its files, folded for comparing."""
    may_be_new: bool = True
    """Whether a series may be made of it: one of its files is surely an episode."""
    moved_from: Series | None = None
    """The series that its files had in another folder: a renamed folder stays the same series."""
    series: Series | None = None
    """Set by `resolve`; one without a primary key is still to be made."""
    reason: str = ""


def top_folder(folder: str) -> str:
    """Return the folder directly under the root that holds `folder`, "" for files in the root itself."""
    return folder.partition("/")[0]


def read_nfo(root_path: str, name: str, problems: list[str]) -> dict[str, str]:
    """Return the identifiers in the folder's tvshow.nfo; one that cannot be used becomes a line in `problems`."""
    try:
        return read_ids(Path(root_path, name, NFO_NAME))
    except NfoError as error:
        problems.append(f"{printable(name)}/{NFO_NAME} is not used: {error}.")
        return {}


def titles_of(parsed: Iterable[ParsedName]) -> list[str]:
    """Return the distinct titles in some files' own names, folded for comparing."""
    titles = dict.fromkeys(match_key(name.title) for name in parsed)
    titles.pop("", None)
    return list(titles)


def resolve(candidates: Sequence[Candidate]) -> None:
    """Give each candidate its series, or a reason why nobody could tell. Two queries, whatever their number.

    Identifiers win (tvshow.nfo before the folder's name), then title and year together. Equal titles of different years
    are different series, and a folder whose files speak of several series is left to a person.
    """
    by_id, by_title = _known(candidates)
    for candidate in candidates:
        candidate.series, candidate.reason = _choose(candidate, by_id, by_title)
        if candidate.series is not None:
            by_title[match_key(candidate.context.title), candidate.context.year] = [
                candidate.series
            ]
            for item in candidate.ids.items():
                by_id[item] = [candidate.series]


def _choose(
    candidate: Candidate, by_id: ById, by_title: ByTitle
) -> tuple[Series | None, str]:
    matches = {
        id(series): series
        for item in candidate.ids.items()
        for series in by_id.get(item, ())
    }
    if len(matches) > 1:
        return None, "Its identifiers belong to different series."
    if matches:
        return next(iter(matches.values())), "Its identifier is that series'."
    if candidate.moved_from is not None:
        return candidate.moved_from, "Its files were that series' in another folder."
    return _choose_by_title(candidate, by_title)


def _choose_by_title(
    candidate: Candidate, by_title: ByTitle
) -> tuple[Series | None, str]:
    own, year = match_key(candidate.context.title), candidate.context.year
    if not own:
        return None, "Its name has no title in it."
    if _is_mixed(candidate.titles, own):
        return (
            None,
            "Its files speak of several series. Say which series it is, or add it as a root folder of its own.",
        )
    same = [
        series
        for series in by_title.get((own, year), ())
        if not _ids_differ(series.ids, candidate.ids)
    ]
    if len(same) > 1:
        return None, "Several series have this title and year."
    if same:
        return same[0], "Title and year are that series'."
    if not candidate.may_be_new:
        return None, "None of its files is surely an episode."
    return _new_series(candidate), MADE


def save(root: RootFolder, candidates: Sequence[Candidate]) -> dict[str, SeriesFolder]:
    """Keep what `resolve` found; new series get their keys. Six queries at most, within the caller's transaction.

    Raises:
        IntegrityError: Another process made a series with the same key meanwhile.
    """
    found = [candidate.series for candidate in candidates]
    # One object may stand for several folders.
    fresh = list(
        {id(series): series for series in found if series and not series.pk}.values()
    )
    assign_keys(fresh)
    Series.objects.bulk_create(fresh)
    known: dict[int, Series] = {}
    for candidate in candidates:
        series = candidate.series
        if series is not None and series not in fresh and _learn(series, candidate):
            known[series.pk] = series
    Series.objects.bulk_update(known.values(), ["ids", "folder"], batch_size=200)
    rows = [
        SeriesFolder(
            root=root,
            name=c.name,
            series=c.series,
            reason=c.reason,
            nfo_mtime_ns=c.nfo_mtime_ns,
        )
        for c in candidates
        if c.name
    ]
    SeriesFolder.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["root", "name"],
        update_fields=["series", "reason", "nfo_mtime_ns"],
    )
    return {
        row.name: row
        for row in SeriesFolder.objects.filter(
            root=root, name__in=[row.name for row in rows]
        ).select_related("series")
    }


def _learn(series: Series, candidate: Candidate) -> bool:
    """Take over identifiers that do not contradict the series' own, and a renamed folder; tell whether anything changed."""
    before = dict(series.ids), series.folder
    if not _ids_differ(series.ids, candidate.ids):
        series.ids = {**series.ids, **candidate.ids}
    if candidate.moved_from is not None:
        series.folder = printable(candidate.name)[:300]
    return before != (series.ids, series.folder)


def assign_keys(fresh: Iterable[Series]) -> None:
    """Give each new series a key that no other has: its title, then with the year, then with a number. One query, and one for each number."""
    wanted = [
        (series, make_key(series.title), make_key(series.title, series.year))
        for series in fresh
    ]
    taken = set(
        Series.objects.filter(
            key__in={key for _series, *keys in wanted for key in keys}
        ).values_list("key", flat=True)
    )
    for series, plain, with_year in wanted:
        series.key = next(
            (key for key in (plain, with_year) if key not in taken), ""
        ) or _numbered_key(with_year[:59].rstrip("-"), taken)
        taken.add(series.key)


def _numbered_key(stem: str, taken: set[str]) -> str:
    taken |= set(
        Series.objects.filter(key__startswith=f"{stem}-").values_list("key", flat=True)
    )
    return next(key for number in count(2) if (key := f"{stem}-{number}") not in taken)


def _known(candidates: Sequence[Candidate]) -> tuple[ById, ByTitle]:
    by_id: ById = defaultdict(list)
    by_title: ByTitle = defaultdict(list)
    values: dict[str, set[str]] = defaultdict(set)
    for provider, value in (
        item for candidate in candidates for item in candidate.ids.items()
    ):
        values[provider].add(value)
    condition = reduce(
        or_,
        (
            Q(**{f"ids__{provider}__in": sorted(some)})
            for provider, some in values.items()
        ),
        Q(pk__in=[]),
    )
    # One object for each row, so that what one candidate teaches it is there for the next.
    known = (
        {series.pk: series for series in Series.objects.filter(condition)}
        if values
        else {}
    )
    for series in known.values():
        for item in series.ids.items():
            by_id[item].append(series)
    titles = {match_key(candidate.context.title)[:250] for candidate in candidates}
    for series in Series.objects.filter(match_key__in=titles - {""}):
        by_title[series.match_key, series.year].append(
            known.setdefault(series.pk, series)
        )
    return by_id, by_title


def _is_mixed(titles: Sequence[str], own: str) -> bool:
    """Tell whether several titles stand in the names of a folder's files, of which none has to do with the folder's."""
    return (
        len(
            {
                title
                for title in titles
                if not (title.startswith(own) or own.startswith(title))
            }
        )
        > 1
    )


def _ids_differ(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    return any(
        left[provider] != right[provider] for provider in left.keys() & right.keys()
    )


def _new_series(candidate: Candidate) -> Series:
    context = candidate.context
    title = printable(context.title)[:250]
    return Series(
        title=title,
        sort_title=sort_title(title),
        match_key=match_key(title)[:250],
        year=context.year,
        folder=printable(candidate.name)[:300],
        ids=dict(candidate.ids),
    )


def sort_title(title: str) -> str:
    """Return what a list sorts by: no leading article, no case."""
    first, _, rest = title.casefold().partition(" ")
    return rest if rest and first in {"the", "a", "an"} else title.casefold()
