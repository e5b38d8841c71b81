"""What every page does: who may see it, whole page or the part that htmx asked for, a refusal as a message, the way back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from aniworld_site.exceptions import DomainError

MAY_NOT = {
    "library.view_series": "look at the library",
    "library.view_scan": "look at scans",
    "library.view_rootfolder": "look at root folders",
    "library.view_episodefile": "look at unmatched files",
    "library.scan_rootfolder": "start or stop scans",
    "library.change_series": "change series or decide what files are",
    "library.change_rootfolder": "change root folders",
    "library.view_fileoperation": "look at the history",
    "library.change_fileoperation": "move, trash or restore files",
    "downloads.view_download": "look at the queue",
    "downloads.control_queue": "control the queue",
    "downloads.view_source": "look at sources",
    "downloads.change_source": "change sources",
}
LONGEST_SEARCH = 100
P = ParamSpec("P")
Row = TypeVar("Row", bound=Model)


class PageRequest(HttpRequest):
    """A request of someone who is logged in, as the middleware leaves it."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[PageRequest, P], HttpResponse]


def require(user: User, permission: str) -> None:
    """Raise `PermissionDenied` with a sentence for the person when the permission is not theirs."""
    if not user.has_perm(permission):
        raise PermissionDenied(
            f"Your account may not {MAY_NOT[permission]}. Whoever runs this site can allow it."
        )


def page(permission: str) -> Callable[[View[P]], View[P]]:
    """Make a view a page: GET or HEAD, by those who have the permission."""

    def decorate(view: View[P]) -> View[P]:
        @require_safe
        @wraps(view)
        def guarded(
            request: PageRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            require(request.user, permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def action(permission: str) -> Callable[[View[P]], View[P]]:
    """Make a view an action: POST, by those who have the permission; what cannot be done becomes a message on the page it came from."""

    def decorate(view: View[P]) -> View[P]:
        @require_POST
        @wraps(view)
        def guarded(
            request: PageRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            require(request.user, permission)
            try:
                return view(request, *args, **kwargs)
            except DomainError as error:
                messages.error(request, str(error))
                return go_back(request)

        return guarded

    return decorate


def done(request: PageRequest, sentence: str) -> HttpResponse:
    """Say what was done and return to the page where it was asked for."""
    messages.success(request, sentence)
    return go_back(request)


def go_back(request: PageRequest) -> HttpResponse:
    """Redirect to the field `next` when it is an address of this site, else to the dashboard."""
    target = request.POST.get("next", "")
    is_ours = (
        url_has_allowed_host_and_scheme(target, allowed_hosts=None)
        and target.isprintable()
        and not urlsplit(target).netloc
    )
    return redirect(target if is_ours and target.startswith("/") else "dashboard")


def cleaned(form: BaseForm) -> dict[str, Any]:
    """Return what a form holds.

    Raises:
        DomainError: When it is not valid, with its own sentences.
    """
    if not form.is_valid():
        raise DomainError(
            " ".join(
                str(sentence) for errors in form.errors.values() for sentence in errors
            )
        )
    return form.cleaned_data


def read_search(values: QueryDict, name: str = "q") -> str:
    """Return what a person looks for, at most 100 characters; without NUL, which PostgreSQL refuses to look for."""
    return values.get(name, "").replace("\0", "")[:LONGEST_SEARCH]


def get_page(rows: QuerySet[Row], number: str | None, *, size: int) -> Page[Row]:
    """Return a page of rows; a number that is no number is the first page, one too high the last."""
    return Paginator(rows, size).get_page(number)


def render_page(
    request: PageRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    parts: Collection[str] = (),
    folder: str | None = None,
) -> HttpResponse:
    """Render a page, or only the part whose element htmx is about to replace, with the messages that wait.

    `parts` names ids of elements; "series-head" of a page in `library/` is drawn by `library/_series_head.html`, unless the parts are in
    another `folder`. Callables in `context` are only called by what is drawn.
    """
    part = request.htmx.target or ""
    if part not in parts or request.htmx.history_restore_request:
        response = render(request, template, dict(context))
    else:
        place = template.rpartition("/")[0] if folder is None else folder
        drawn = f"{place}/_{part.replace('-', '_')}.html".lstrip("/")
        text = render_to_string(drawn, dict(context), request)
        said = render_to_string("_messages.html", {"is_part": True}, request)
        response = HttpResponse(text + said)
    # The same address answers with a page or a part of it, which caches, the browser's own included, must not mix up.
    response.headers["Vary"] = "HX-Request, HX-Target, Cookie"
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
