"""What a person can do with the library. Each commits what it does; what it publishes goes out after the commit."""

from __future__ import annotations

from aniworld_site.library.services.files import (
    assign_files,
    assign_folder,
    ignore_files,
    ignore_folder,
    settle_links,
    unignore_files,
)
from aniworld_site.library.services.operations import (
    Renaming,
    preview_names,
    rename_files,
    trash_files,
    undo_operation,
)
from aniworld_site.library.services.roots import (
    add_root,
    check_root_path,
    move_root,
    remove_root,
)
from aniworld_site.library.services.scans import (
    cancel_scan,
    request_scan,
    request_series_scans,
    run_scan_here,
)
from aniworld_site.library.services.series import (
    add_series,
    remove_series,
    rename_series,
    set_monitored,
    set_wanted,
)

__all__ = [
    "Renaming",
    "add_root",
    "add_series",
    "assign_files",
    "assign_folder",
    "cancel_scan",
    "check_root_path",
    "ignore_files",
    "ignore_folder",
    "move_root",
    "preview_names",
    "remove_root",
    "remove_series",
    "rename_files",
    "rename_series",
    "request_scan",
    "request_series_scans",
    "run_scan_here",
    "set_monitored",
    "set_wanted",
    "settle_links",
    "trash_files",
    "undo_operation",
    "unignore_files",
]
