"""Sources: tested, added, read, and what they changed that a person should look at."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters

from aniworld_site.downloads import forms, selectors, services
from aniworld_site.downloads.models import Source, SourceEpisode
from aniworld_site.downloads.providers.base import ProviderError, SourceOptions
from aniworld_site.downloads.providers.guarding import list_own_hosts
from aniworld_site.downloads.refreshing import find_listing
from aniworld_site.downloads.ytdlp.versions import get_version
from aniworld_site.exceptions import DomainError
from aniworld_site.pages import (
    PageRequest,
    action,
    cleaned,
    done,
    page,
    render_page,
)


@page("downloads.view_source")
def source_list(request: PageRequest) -> HttpResponse:
    return _render(request, forms.SourceAddForm())


@sensitive_post_parameters("password")
@action("downloads.change_source")
def source_add(request: PageRequest) -> HttpResponse:
    form = forms.SourceAddForm(request.POST)
    if not form.is_valid():
        return _render(request, form, status=422)
    chosen = form.cleaned_data
    options = SourceOptions(
        url=chosen["url"],
        username=chosen["username"],
        password=chosen["password"],
        private_hosts=list_own_hosts(chosen["url"], is_private=chosen["is_private"]),
        cookies=chosen["cookies"],
        format=chosen["format"],
    )
    try:
        if "test" in request.POST:
            # Asked while the person waits: a document may take a minute, no more.
            provider, listing = find_listing(options, chosen["kind"])
            # The words alone: templates call what can be called, as a class can.
            found = {"label": provider.label, "listing": listing}
            return _render(request, form, found=found)
        source, listing = services.add_source(
            options, name=chosen["name"], kind=chosen["kind"]
        )
    except (ProviderError, DomainError) as error:
        form.add_error("url", str(error))
        return _render(request, form, status=422)
    count = len(listing.series)
    return done(
        request, f"{source} is added: it lists {count} series. Add those that you want."
    )


@action("downloads.change_source")
def source_refresh(request: PageRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    services.request_refresh(source)
    return done(request, f"{source} is read now.")


@action("downloads.change_source")
def source_wake(request: PageRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    services.end_rest(source)
    return done(request, f"The downloads of {source} go on.")


@action("downloads.change_source")
def source_edit(request: PageRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    form = forms.SourceEditForm(request.POST, instance=source)
    cleaned(form)
    Source.objects.filter(pk=pk).update(**form.cleaned_data)
    return done(request, f"{source} is saved.")


@page("downloads.change_source")
def source_confirm_remove(request: PageRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    return render(
        request,
        "downloads/source_confirm_remove.html",
        {"source": source, "removal": selectors.get_removal(source)},
    )


@action("downloads.change_source")
def source_remove(request: PageRequest, pk: int) -> HttpResponse:
    source = get_object_or_404(Source, pk=pk)
    services.remove_source(source)
    return done(
        request, f"{source} is removed. What came from it stays in the library."
    )


@action("downloads.change_source")
def ytdlp_update(request: PageRequest) -> HttpResponse:
    before, after = services.update_ytdlp()
    if after == before:
        return done(request, f"yt-dlp {after} is the newest there is.")
    return done(
        request, f"yt-dlp {after} is used from now on; before, it was {before}."
    )


@action("downloads.change_source")
def review_settle(request: PageRequest, pk: int) -> HttpResponse:
    offer = get_object_or_404(SourceEpisode, pk=pk)
    takes_new = request.POST.get("take") == "new"
    services.settle_review(offer, takes_new=takes_new)
    return done(request, "Settled.")


def _render(
    request: PageRequest,
    form: forms.SourceAddForm,
    *,
    found: dict[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "found": found,
        "states": selectors.list_sources,
        "reviews": partial(selectors.list_reviews, limit=50),
        "ytdlp": partial(get_version, Path(settings.DATA_DIR)),
    }
    parts = ("source-rows",)
    response = render_page(request, "downloads/sources.html", context, parts=parts)
    response.status_code = status
    return response
