"""Series that sources list: into the library with them."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from aniworld_site.downloads import forms, selectors, services
from aniworld_site.downloads.matching import list_found
from aniworld_site.downloads.models import SourceSeries
from aniworld_site.pages import (
    PageRequest,
    action,
    cleaned,
    done,
    get_page,
    page,
    read_search,
    render_page,
)

ROWS_PER_PAGE = 30


@page("library.view_series")
def add_page(request: PageRequest) -> HttpResponse:
    text, shows_all = read_search(request.GET), "all" in request.GET
    rows = get_page(
        selectors.search_listed(text, only_new=not shows_all),
        request.GET.get("page"),
        size=ROWS_PER_PAGE,
    )
    context = {
        "page_obj": rows,
        "found": partial(list_found, rows),
        "text": text,
        "shows_all": shows_all,
        "sources": selectors.list_sources,
    }
    parts = ("add-rows",)
    return render_page(request, "downloads/add.html", context, parts=parts)


@action("library.change_series")
def add_series(request: PageRequest, pk: int) -> HttpResponse:
    listed = get_object_or_404(SourceSeries, pk=pk)
    series = services.add_listed(listed, is_new="new" in request.POST)
    messages.success(request, f"{series} is in the library now.")
    if "queue" in request.POST and request.user.has_perm("downloads.control_queue"):
        queued = services.queue_missing(by=request.user.get_username(), series=series)
        messages.success(request, f"{len(queued.downloads)} joined the queue.")
    return redirect(series.get_absolute_url())


@action("library.change_series")
def link_series(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.LinkForm(request.POST))
    services.link_listed(chosen["listed"], chosen["series"])
    return done(
        request, f"{chosen['listed']} is {chosen['series']} of the library from now on."
    )


@action("library.change_series")
def dismiss_series(request: PageRequest, pk: int) -> HttpResponse:
    listed = get_object_or_404(SourceSeries, pk=pk)
    services.unlink_listed(listed)
    return done(request, f"{listed} is not offered any more.")
