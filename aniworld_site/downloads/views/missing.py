"""What is missing, and into the queue with it."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from aniworld_site.downloads import forms, selectors, services
from aniworld_site.downloads.services import Queued
from aniworld_site.library.models import Episode, Series
from aniworld_site.library.services import set_wanted
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

ROWS_PER_PAGE = 100
ONLY = (
    ("", "of monitored series"),
    ("offered", "that can be had"),
    ("all", "of all series"),
)


@page("library.view_series")
def missing_page(request: PageRequest) -> HttpResponse:
    text, only = read_search(request.GET), request.GET.get("only", "")
    episodes = get_page(
        selectors.list_missing(text=text, only=only),
        request.GET.get("page"),
        size=ROWS_PER_PAGE,
    )
    context = {
        "page_obj": episodes,
        "rows": partial(selectors.list_missing_episodes, episodes),
        "counts": selectors.count_missing,
        "text": text,
        "only": only,
        "choices": ONLY,
    }
    parts = ("missing-rows",)
    return render_page(request, "downloads/missing.html", context, parts=parts)


@action("downloads.control_queue")
def missing_queue(request: PageRequest) -> HttpResponse:
    episodes = cleaned(forms.EpisodesForm(request.POST))["episodes"]
    queued = services.queue_episodes(episodes, by=request.user.get_username())
    return _tell(request, queued)


@action("downloads.control_queue")
def missing_all(request: PageRequest) -> HttpResponse:
    queued = services.queue_missing(
        by=request.user.get_username(),
        text=read_search(request.POST),
        only=request.POST.get("only", ""),
    )
    return _tell(request, queued)


@action("library.change_series")
def missing_ignore(request: PageRequest) -> HttpResponse:
    episodes = cleaned(forms.EpisodesForm(request.POST))["episodes"]
    count = set_wanted(
        Episode.objects.filter(pk__in=[each.pk for each in episodes]), is_wanted=False
    )
    return done(
        request,
        f"{count} episode{'' if count == 1 else 's'} will not be fetched; their series' pages can want them again.",
    )


@action("downloads.control_queue")
def series_queue(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    by = request.user.get_username()
    if "missing" in request.POST:
        return _tell(request, services.queue_missing(by=by, series=series))
    if "whole" in request.POST:
        season = request.POST.get("season", "")
        names = [f"S{season}"]
        return _tell(
            request,
            services.queue_episodes(services.find_episodes(series, names), by=by),
        )
    episodes = cleaned(forms.EpisodesForm(request.POST))["episodes"]
    ours = [each for each in episodes if each.season.series_id == series.pk]
    return _tell(request, services.queue_episodes(ours, by=by))


def _tell(request: PageRequest, queued: Queued) -> HttpResponse:
    reasons: dict[str, list[str]] = {}
    for refusal in queued.refusals:
        episode = refusal.episode
        name = f"{episode.season.series} {episode}"
        reasons.setdefault(refusal.reason, []).append(name)
    for reason, names in reasons.items():
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        messages.warning(request, f"{', '.join(names[:5])}{more}: {reason}")
    count = len(queued.downloads)
    if not count:
        return done(request, "Nothing was added to the queue.")
    return done(
        request, f"{count} download{'' if count == 1 else 's'} joined the queue."
    )
