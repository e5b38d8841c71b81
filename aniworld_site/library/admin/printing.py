"""Rows whose name is a file's: the admin writes str(row) on pages, in messages and in its log, and none of these can hold an undecodable byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeData, SafeString

from aniworld_site.library.naming import printable


@dataclass(frozen=True, slots=True)
class Printed:
    """Stands for a row wherever only its key and its name are shown."""

    pk: Any
    name: str

    @classmethod
    def of(cls, row: Model) -> Printed:
        return cls(row.pk, printable(str(row)))

    def __str__(self) -> str:
        return self.name


class PrintableMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    def action_checkbox(self, obj: Any) -> SafeString:
        return super().action_checkbox(Printed.of(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if isinstance(row, Model):
            context |= {"original": Printed.of(row), "subtitle": printable(str(row))}
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = (
            {
                "object": Printed.of(row),
                "title": f"Change history: {printable(str(row))}",
            }
            if row is not None
            else {}
        )
        return super().history_view(
            request, object_id, {**shown, **(extra_context or {})}
        )

    def message_user(
        self, request: HttpRequest, message: Any, *args: Any, **kwargs: Any
    ) -> None:
        text = printable(str(message))
        super().message_user(
            request,
            SafeString(text) if isinstance(message, SafeData) else text,
            *args,
            **kwargs,
        )  # As safe as it was.

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return LogEntry.objects.create(
            user_id=int(request.user.pk or 0),
            content_type=ContentType.objects.get_for_model(obj),
            object_id=str(obj.pk),
            object_repr=printable(str(obj))[:200],
            action_flag=CHANGE,
            change_message=json.dumps(message)
            if isinstance(message, list)
            else message,
        )
