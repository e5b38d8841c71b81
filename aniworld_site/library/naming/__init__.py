"""File names and titles: what a path says of its episode, and how titles become keys. Pure."""

from __future__ import annotations

from aniworld_site.library.naming.files import (
    VIDEO_EXTENSIONS,
    is_ignored_folder,
    is_video,
)
from aniworld_site.library.naming.folders import parse_folder
from aniworld_site.library.naming.keys import make_key, match_key, printable
from aniworld_site.library.naming.paths import parse_path
from aniworld_site.library.naming.results import Finding, FolderContext, ParsedName

__all__ = [
    "VIDEO_EXTENSIONS",
    "Finding",
    "FolderContext",
    "ParsedName",
    "is_ignored_folder",
    "is_video",
    "make_key",
    "match_key",
    "parse_folder",
    "parse_path",
    "printable",
]
