"""A series' episodes as a list, with what can be done with each."""

from __future__ import annotations

from functools import partial

from django.http import Http404, HttpResponse

from aniworld_site.downloads import selectors
from aniworld_site.library.selectors import get_series
from aniworld_site.pages import PageRequest, page, render_page


@page("library.view_series")
def series_episodes(request: PageRequest, key: str) -> HttpResponse:
    series = get_series(key)
    if series is None:
        raise Http404(f"No series has the key “{key}”.")
    shown = set(request.GET.getlist("shown"))
    context = {
        "series": series,
        "groups": partial(selectors.list_episode_groups, series, shown),
    }
    parts = ("series-head", "episode-rows")
    return render_page(request, "downloads/episodes.html", context, parts=parts)
