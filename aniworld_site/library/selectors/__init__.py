"""Reads that a page or a room needs. Each states its queries; none grows with the rows it returns."""

from __future__ import annotations

from aniworld_site.library.selectors.files import (
    count_unmatched,
    group_unmatched,
    list_arrivals,
    list_ignored,
    list_series_files,
    list_series_unmatched,
    list_unmatched,
)
from aniworld_site.library.selectors.operations import list_operations
from aniworld_site.library.selectors.roots import (
    get_scan,
    list_active_scans,
    list_ended_scans,
    list_measured_roots,
    list_notices,
    list_roots,
)
from aniworld_site.library.selectors.seasons import (
    UNFOLD_UP_TO,
    Cell,
    SeasonGrid,
    list_seasons,
    unfold,
)
from aniworld_site.library.selectors.series import (
    add_counts,
    find_series,
    get_series,
    get_totals,
    list_new_series,
    list_series,
)

__all__ = [
    "UNFOLD_UP_TO",
    "Cell",
    "SeasonGrid",
    "add_counts",
    "count_unmatched",
    "find_series",
    "get_scan",
    "get_series",
    "get_totals",
    "group_unmatched",
    "list_active_scans",
    "list_arrivals",
    "list_ended_scans",
    "list_ignored",
    "list_measured_roots",
    "list_new_series",
    "list_notices",
    "list_operations",
    "list_roots",
    "list_seasons",
    "list_series",
    "list_series_files",
    "list_series_unmatched",
    "list_unmatched",
    "unfold",
]
