"""What was done to files."""

from __future__ import annotations

from django.db.models import QuerySet

from aniworld_site.library.models import FileOperation, Series


def list_operations(series: Series | None = None) -> QuerySet[FileOperation]:
    """Return what was done, the newest first, with root and series: of all series or of one."""
    operations = FileOperation.objects.select_related("root", "series")
    return operations.filter(series=series) if series is not None else operations
