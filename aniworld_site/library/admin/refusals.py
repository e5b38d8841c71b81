"""A refused request becomes a sentence on the page that it came from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from aniworld_site.exceptions import DomainError


class RefusalMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Shows a `DomainError` raised while saving or deleting. The transaction of the form is undone, since the error passes through it."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._get_form_url(request))

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._tell_refusal(
            request, partial(super().delete_view, request, object_id, extra_context)
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._tell_refusal(
            request, partial(super().changelist_view, request, extra_context)
        )

    def _tell_refusal(
        self, request: HttpRequest, view: Callable[[], HttpResponse]
    ) -> HttpResponse:
        try:
            return view()
        except DomainError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())

    def _get_form_url(self, request: HttpRequest) -> str:
        # An add form takes its first values from the address, so nothing has to be typed again.
        typed = request.POST.copy()
        for name in [
            name
            for name in typed
            if name.startswith("_") or name == "csrfmiddlewaretoken"
        ]:
            del typed[name]
        is_add = (
            request.resolver_match is not None
            and "object_id" not in request.resolver_match.kwargs
        )
        return (
            f"{request.path}?{typed.urlencode()}" if is_add else request.get_full_path()
        )
