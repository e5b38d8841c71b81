"""What staff see and change under /admin/: series with their episodes, root folders, scans, files."""

from __future__ import annotations

from django.contrib import admin

from aniworld_site.library.admin import files, operations, roots, scans, series

__all__ = ["files", "operations", "roots", "scans", "series"]

admin.site.site_title = admin.site.site_header = "AniWorld"
admin.site.index_title = "Administration"
