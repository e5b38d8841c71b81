"""Root folders in the admin: add, scan, move, forget. The folders and files themselves are never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aniworld_site.exceptions import DomainError
from aniworld_site.library import services
from aniworld_site.library.admin.refusals import RefusalMixin
from aniworld_site.library.admin.scanning import (
    REFRESH_ON,
    may_scan,
    show_moment,
    show_state,
    start_scan,
)
from aniworld_site.library.models import RootFolder, Scan
from aniworld_site.library.naming import printable


class RootFolderForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    class Meta:
        model = RootFolder
        fields = ["name", "path", "is_anime"]
        widgets = {
            "path": forms.TextInput(
                attrs={"class": "vLargeTextField", "spellcheck": "false"}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.fields["name"].required = False
            self.fields["name"].help_text = "Optional; otherwise the folder's own."

    def clean_path(self) -> str:
        given = str(self.cleaned_data["path"])
        if self.instance.pk is None or given == self.instance.path:
            return given  # A new root's path is for `add_root` to judge.
        try:
            moved = Path(services.check_root_path(given))
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error
        others = map(
            Path,
            RootFolder.objects.exclude(pk=self.instance.pk).values_list(
                "path", flat=True
            ),
        )
        nested = next(
            (
                other
                for other in others
                if moved.is_relative_to(other) or other.is_relative_to(moved)
            ),
            None,
        )
        if nested is not None:
            raise forms.ValidationError(
                f"{printable(str(nested))} is a root folder already, and roots may not lie in one another."
            )
        return str(moved)


@admin.register(RootFolder)
class RootFolderAdmin(RefusalMixin):
    form = RootFolderForm
    list_display = [
        "name",
        "shown_path",
        "state",
        "files",
        "scan_state",
        "last_scan",
        "scan_button",
    ]
    search_fields = ["name", "path"]
    show_full_result_count = False
    actions = ["scan_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RootFolder]:
        active = Prefetch("scans", Scan.objects.active(), to_attr="active_scans")
        roots: QuerySet[RootFolder] = super().get_queryset(request)
        return roots.prefetch_related(active)

    def get_fields(
        self, request: HttpRequest, obj: RootFolder | None = None
    ) -> list[Any]:
        if obj is None:
            return ["path", "name"]
        path_field = "path" if self._may_move(request, obj) else "shown_path"
        return [
            "name",
            path_field,
            "is_anime",
            "state",
            "files",
            "held_vanished",
            "scan_state",
            "last_scan",
            "added_at",
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: RootFolder | None = None
    ) -> list[Any]:
        return [
            "shown_path",
            "state",
            "files",
            "held_vanished",
            "scan_state",
            "last_scan",
            "added_at",
        ]

    def _may_move(self, request: HttpRequest, root: RootFolder) -> bool:
        # Rows hold paths relative to the root, so a disk that is mounted elsewhere needs no new scan: only this one path.
        # A wrong path makes the root offline, no more; but it decides what the server reads, so it is the superuser's.
        return (
            bool(getattr(request.user, "is_superuser", False))
            and printable(root.path) == root.path
        )

    @admin.display(description="path", ordering="path")
    def shown_path(self, root: RootFolder) -> str:
        return printable(root.path)

    @admin.display(description="state", ordering="is_online")
    def state(self, root: RootFolder) -> SafeString:
        words = (
            "online" if root.is_online else f"offline: {printable(root.offline_reason)}"
        )
        return self._live(root, "state", words)

    @admin.display(description="files", ordering="file_count")
    def files(self, root: RootFolder) -> SafeString:
        return self._live(root, "files", str(root.file_count))

    @admin.display(description="scan")
    def scan_state(self, root: RootFolder) -> SafeString:
        active = getattr(root, "active_scans", [])
        if not active:
            return self._live(root, "scan", "")
        url = reverse("admin:library_scan_change", args=[active[0].pk])
        return self._live(
            root,
            "scan",
            format_html('<a href="{}">scan</a> {}', url, show_state(active[0])),
        )

    @admin.display(description="last scan", ordering="scanned_at")
    def last_scan(self, root: RootFolder) -> SafeString:
        when = show_moment(root.scanned_at) if root.scanned_at else "never"
        return self._live(root, "scanned", when)

    def _live(self, root: RootFolder, part: str, content: str) -> SafeString:
        return format_html(
            '<span id="root-{}-{}" data-live-rooms="scan library" data-live-refresh="{} root_updated">{}</span>',
            root.pk,
            part,
            REFRESH_ON,
            content,
        )

    @admin.display(description="")
    def scan_button(self, root: RootFolder) -> SafeString:
        # The list is one form already, and forms do not nest: the button gives that form another address.
        url = reverse("admin:library_rootfolder_scan", args=[root.pk])
        return format_html(
            '<button class="button" formaction="{}" formmethod="post">Scan now</button>',
            url,
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [
            name
            for name in self.list_display
            if name != "scan_button" or may_scan(request)
        ]

    def has_scan_permission(self, request: HttpRequest) -> bool:
        return may_scan(request)

    @admin.action(description="Scan now", permissions=["scan"])
    def scan_now(self, request: HttpRequest, queryset: QuerySet[RootFolder]) -> None:
        for root in queryset:
            self._scan(request, root)

    def get_urls(self) -> list[URLPattern]:
        scan = path(
            "<int:pk>/scan/",
            self.admin_site.admin_view(self.scan_view),
            name="library_rootfolder_scan",
        )
        return [scan, *super().get_urls()]

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (may_scan(request) and self.has_view_permission(request)):
            raise PermissionDenied
        root = self.get_object(request, str(pk))
        if root is None:
            messages.error(request, "This root folder is gone.")
        else:
            self._scan(
                request, root, accepts_vanished="accepts_vanished" in request.POST
            )
        name, args = (
            ("change", [pk])
            if root is not None and "from_root" in request.POST
            else ("changelist", [])
        )
        return HttpResponseRedirect(
            reverse(f"admin:library_rootfolder_{name}", args=args)
        )

    def _scan(
        self, request: HttpRequest, root: RootFolder, *, accepts_vanished: bool = False
    ) -> None:
        if start_scan(request, root, accepts_vanished=accepts_vanished):
            self.log_change(
                request,
                root,
                "Asked for a scan, and confirmed that what it does not find is gone."
                if accepts_vanished
                else "Asked for a scan.",
            )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().change_view(
            request,
            object_id,
            form_url,
            {**(extra_context or {}), "may_scan": may_scan(request)},
        )

    def save_model(
        self, request: HttpRequest, obj: RootFolder, form: Any, change: Any
    ) -> None:
        if change:
            # Not the whole row: a scan writes the rest of it meanwhile.
            fields = set(form.cleaned_data) - {"path"}
            if "path" in form.changed_data:
                services.move_root(obj, obj.path)
            obj.save(update_fields=fields)
        else:
            obj.pk = services.add_root(obj.path, name=obj.name).pk
            obj.refresh_from_db()

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        # The stock page reads and lists every file, 100,000 lines for a large root; and a file's own row may not be deleted by hand.
        roots = list(objs)
        lines = [
            f"{root.name}: AniWorld forgets it and its {root.file_count} files; nothing in {printable(root.path)} is touched"
            for root in roots
        ]
        return (
            lines,
            {
                "root folders": len(roots),
                "known files": sum(root.file_count for root in roots),
            },
            set(),
            [],
        )

    def delete_model(self, request: HttpRequest, obj: RootFolder) -> None:
        services.remove_root(obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[RootFolder]
    ) -> None:
        with transaction.atomic():
            for root in queryset:
                services.remove_root(root)
