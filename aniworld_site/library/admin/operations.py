"""What was done to files in the admin: to read and to undo."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from aniworld_site.exceptions import DomainError
from aniworld_site.library import services
from aniworld_site.library.models import FileOperation
from aniworld_site.library.naming import printable


@admin.register(FileOperation)
class FileOperationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    list_display = ["id", "label", "kind", "state", "place", "by", "made_at"]
    list_filter = ["kind", "state", "root"]
    search_fields = ["label", "error"]
    date_hierarchy = "made_at"
    show_full_result_count = False
    actions = ["undo"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("library.change_fileoperation")

    @admin.display(description="is at")
    def place(self, operation: FileOperation) -> str:
        return printable(str(operation.target))

    @admin.action(description="Undo", permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: QuerySet[FileOperation]) -> None:
        # The newest first: what was done on top of something has to go before it.
        for operation in queryset.select_related("root").order_by("-pk"):
            try:
                services.undo_operation(operation, by=request.user.get_username())
            except DomainError as error:
                messages.warning(request, f"{operation}: {error}")
            else:
                messages.success(request, f"{operation} is undone.")
