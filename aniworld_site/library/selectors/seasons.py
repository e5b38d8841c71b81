"""The seasons of a series as grids of episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import (
    OuterRef,
)

from aniworld_site.library.models import (
    Episode,
    EpisodeFileLink,
    Season,
    Series,
)
from aniworld_site.library.selectors.counting import count_rows

# Episodes. Of a longer series only the first season with something missing is unfolded.
UNFOLD_UP_TO = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One episode in the grid of its season."""

    pk: int
    text: str
    """Its number, or its label where it has one."""
    title: str
    air_date: date | None
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


def list_seasons(series: Series) -> list[SeasonGrid]:
    """Return the seasons with a cell for each episode, specials last, in two queries."""
    grids = {
        season.pk: SeasonGrid(number=season.number, name=str(season))
        for season in Season.objects.filter(series=series)
    }
    links = EpisodeFileLink.objects.filter(
        episode=OuterRef("pk"), file__vanished_at=None
    )
    rows = Episode.objects.filter(season__series=series).order_by("number", "label")
    fields = ("pk", "season", "number", "label", "title", "air_date")
    # Tuples, since a series may have thousands of episodes and only a few of their columns are drawn.
    for row in rows.annotate(total=count_rows(links)).values_list(
        *fields, "has_file", "is_wanted", "total", named=True
    ):
        grid = grids[row.season]
        grid.cells.append(_make_cell(row, is_special=grid.number == 0))
    seasons = sorted(grids.values(), key=lambda grid: (grid.number == 0, grid.number))
    unfold(seasons)
    return seasons


def _make_cell(row: Any, *, is_special: bool) -> Cell:
    if row.has_file or row.total:
        state = "several" if row.total > 1 else "there"
    elif not row.is_wanted:
        state = "unwanted"
    else:
        state = "absent" if is_special else "missing"
    files = max(row.total, int(row.has_file))
    return Cell(
        pk=row.pk,
        text=row.label or str(row.number),
        title=row.title,
        air_date=row.air_date,
        state=state,
        files=files,
    )


def unfold(seasons: Sequence[SeasonGrid]) -> None:
    """Open all of a short series, of a longer one the first with something missing."""
    is_small = sum(len(grid.cells) for grid in seasons) <= UNFOLD_UP_TO
    first_missing = next((grid for grid in seasons if grid.missing), None)
    for grid in seasons:
        grid.is_open = is_small or grid is (first_missing or seasons[0])
