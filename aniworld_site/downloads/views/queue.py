"""The queue's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from aniworld_site.downloads import forms, ordering, selectors, services
from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.services import Outcome
from aniworld_site.downloads.states import ENDED_STATES
from aniworld_site.exceptions import DomainError
from aniworld_site.library.destinations import (
    EpisodeNames,
    TemplateError,
    check_template,
    tells_seasons_apart,
)
from aniworld_site.library.destinations import render as render_name
from aniworld_site.pages import (
    PageRequest,
    action,
    cleaned,
    done,
    get_page,
    go_back,
    page,
    read_search,
    render_page,
)

ROWS_PER_PAGE, ENDED_ROWS = 100, 30
EXAMPLE = EpisodeNames(
    series="Night Show",
    key="night-show",
    year=2013,
    season=1,
    episode=3,
    absolute=3,
    title="Dusk",
)
DO: dict[str, tuple[Callable[[QuerySet[Download]], Outcome], str]] = {
    "pause": (services.pause_downloads, "paused"),
    "resume": (services.resume_downloads, "resumed"),
    "cancel": (partial(services.cancel_downloads, keeps_part=True), "cancelled"),
    "drop": (partial(services.cancel_downloads, keeps_part=False), "cancelled"),
    "retry": (services.retry_downloads, "tried again"),
    "force": (services.force_downloads, "started whatever the limits say"),
    "remove": (services.remove_downloads, "taken off the list"),
    "top": (partial(services.move_downloads, where="top"), "first now"),
    "up": (partial(services.move_downloads, where="up"), "one place earlier"),
    "down": (partial(services.move_downloads, where="down"), "one place later"),
    "bottom": (partial(services.move_downloads, where="bottom"), "last now"),
}


# What makes sense for all that is listed, be it ten thousand.
DO_WITH_ALL = ("pause", "resume", "retry", "cancel", "drop", "top", "bottom")


@page("downloads.view_download")
def queue_page(request: PageRequest) -> HttpResponse:
    live = get_page(
        selectors.list_live(text=read_search(request.GET)),
        request.GET.get("page"),
        size=ROWS_PER_PAGE,
    )
    view = selectors.get_queue_view()
    state = _read_ended(request.GET.get("ended", ""))
    context = {
        "view": view,
        "page_obj": live,
        "rows": partial(selectors.list_rows, live),
        "ended": partial(_list_ended, state),
        "ended_count": selectors.list_ended(state).count,
        "shows_ended": state,
        "text": read_search(request.GET),
        "pauses": forms.PAUSES,
        "example": render_name(view.queue.template, EXAMPLE, ".mkv"),
    }
    parts = ("queue-head", "queue-needs", "queue-rows", "queue-ended")
    return render_page(request, "downloads/queue.html", context, parts=parts)


def _read_ended(state: str) -> str:
    return state if state in ENDED_STATES else ""


def _list_ended(state: str) -> list[selectors.Row]:
    return selectors.list_rows(selectors.list_ended(state)[:ENDED_ROWS])


@page("downloads.view_download")
def queue_badge(request: PageRequest) -> HttpResponse:
    counts = selectors.count_downloads()
    return render(request, "downloads/_queue_badge.html", {"counts": counts})


@action("downloads.control_queue")
def queue_do(request: PageRequest) -> HttpResponse:
    # A row's own button names itself, those below the list mean all that are ticked.
    one, _, pk = request.POST.get("one", "").partition(":")
    what = one or request.POST.get("do", "")
    is_all = "all" in request.POST and not one
    allowed = DO_WITH_ALL if is_all else tuple(DO)
    if what not in allowed:
        raise DomainError(f"Expected one of {', '.join(allowed)}, got {what[:40]!r}.")
    if is_all:
        chosen = selectors.list_live(text=read_search(request.POST))
    else:
        ids = [pk] if one else request.POST.getlist("downloads")
        chosen = cleaned(forms.DownloadsForm({"downloads": ids}))["downloads"]
    do, said = DO[what]
    return _tell(request, do(chosen), said)


@action("downloads.control_queue")
def queue_clear(request: PageRequest) -> HttpResponse:
    state = request.POST.get("ended", "")
    if state != _read_ended(state):
        raise DomainError(
            f"Expected {', '.join(ENDED_STATES)} or nothing, got {state[:40]!r}."
        )
    count = services.remove_downloads(selectors.list_ended(state)).done
    if not count:
        return done(request, "Nothing was in the list.")
    said = "1 download is" if count == 1 else f"{count} downloads are"
    return done(request, f"{said} taken off the list.")


@action("downloads.control_queue")
def queue_move(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.MoveForm(request.POST))
    where = "before" if chosen["before"] else "bottom"
    outcome = services.move_downloads(
        chosen["downloads"], where, before=chosen["before"]
    )
    return _tell(request, outcome, "moved")


@action("downloads.control_queue")
def queue_set(request: PageRequest) -> HttpResponse:
    by, what = request.user.get_username(), request.POST.get("do", "")
    if what == "pause":
        minutes = cleaned(forms.PauseForm(request.POST))["minutes"]
        services.pause_queue(by=by, minutes=minutes)
    elif what in ("start", "stop", "resume"):
        {
            "start": services.start_queue,
            "stop": services.stop_queue,
            "resume": services.resume_queue,
        }[what](by=by)
    else:
        raise DomainError(f"Expected start, stop, pause or resume, got {what[:40]!r}.")
    return go_back(request)


@action("downloads.control_queue")
def queue_limits(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.LimitsForm(request.POST))
    services.set_limits(
        concurrency=chosen["concurrency"], limit_kib_per_s=chosen["limit_kib_per_s"]
    )
    return done(request, "The limits are changed.")


@page("downloads.view_download")
def template_preview(request: PageRequest) -> HttpResponse:
    """Show what a template would call a file, while it is typed."""
    template = request.GET.get("template", "")
    try:
        check_template(template)
        shown: dict[str, object] = {
            "example": render_name(template, EXAMPLE, ".mkv"),
            "mixes_seasons": not tells_seasons_apart(template),
        }
    except TemplateError as error:
        shown = {"error": str(error)}
    return render(request, "downloads/_template_preview.html", shown)


@action("downloads.control_queue")
def queue_settings(request: PageRequest) -> HttpResponse:
    form = forms.QueueSettingsForm(request.POST, instance=ordering.get_queue())
    # Its own fields only: somebody may stop the queue in this moment.
    Queue.objects.filter(pk=1).update(**cleaned(form))
    return done(request, "The settings are saved.")


def _tell(request: PageRequest, outcome: Outcome, said: str) -> HttpResponse:
    for refusal in outcome.refusals:
        messages.warning(request, refusal)
    if outcome.done > 1:
        messages.success(request, f"{outcome.done} downloads are {said}.")
    return go_back(request)
