"""What staff see under /admin/: keys of other programs, and a live page of connections and rooms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from realtime.inspecting import SHOWN, inspect
from realtime.issuing import make_key, revoke_keys
from realtime.models import Activity, ApiKey, validate_scopes
from realtime.revocations import recheck


class ScopesField(forms.CharField):
    """One scope a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys((value or "").split()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != initial)

    def run_validators(self, value: Any) -> None:
        validate_scopes(value)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Asks for what a person decides; the key itself is made afterwards."""

    scopes = ScopesField(
        help_text="One a line: a room like scan, all that begin so like series:*, * for every room, metrics for the numbers."
    )

    class Meta:
        model = ApiKey
        fields = ["user", "name", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Keys can be made, which shows them once, narrowed and revoked."""

    form = ApiKeyForm
    list_display = [
        "name",
        "user",
        "shown_prefix",
        "scope_list",
        "state",
        "last_used_at",
        "created_at",
    ]
    list_select_related = ["user"]
    search_fields = ["name", "prefix"]
    readonly_fields = [
        "shown_prefix",
        "state",
        "created_at",
        "last_used_at",
        "revoked_at",
    ]
    actions = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        asked = ["user", "name", "scopes", "expires_at"]
        return asked if obj is None else [*asked, *self.readonly_fields]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> list[Any]:
        return [] if obj is None else ["user", *self.readonly_fields]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "user":
            users = get_user_model()._default_manager.filter(is_active=True)
            # A key lets its holder in as that user, and whoever makes it sees it.
            if not getattr(request.user, "is_superuser", False):
                users = users.filter(pk=request.user.pk or 0)
            kwargs |= {"queryset": users, "initial": request.user.pk}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: Any, change: Any
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            recheck(obj.user)
            return
        made, secret = make_key(
            obj.user, obj.name, obj.scopes, expires_at=obj.expires_at
        )
        obj.pk = made.pk
        obj.refresh_from_db()
        messages.warning(
            request, f"The key is {secret} and is shown only now. Copy it."
        )

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        super().delete_model(request, obj)
        recheck(obj.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        users = {key.user for key in queryset}
        super().delete_queryset(request, queryset)
        for user in users:
            recheck(user)

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = revoke_keys(queryset.select_related("user"))
        messages.success(
            request,
            f"{count} {'key is' if count == 1 else 'keys are'} revoked, and connections by {'it' if count == 1 else 'them'} end now.",
        )

    @admin.display(description="begins with")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        if key.expires_at and key.expires_at <= timezone.now():
            return "expired"
        return "in use" if key.last_used_at else "not used yet"


@admin.register(Activity)
class ActivityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """One page; the model's other pages would be those of the keys behind it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="realtime_activity_changelist")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @method_decorator(never_cache)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the rooms and connections of the process that answers."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Activity",
            "opts": self.opts,
            "report": inspect(),
            "shown": SHOWN,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/realtime/activity.html", context)
