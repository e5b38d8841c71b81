"""Pages that span apps: the dashboard, the schedule, logging in, and the first run."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from aniworld_site.accounts import create_administrator, has_users
from aniworld_site.agenda import list_planned
from aniworld_site.downloads.selectors import list_readings
from aniworld_site.exceptions import DomainError
from aniworld_site.forms import SetupForm
from aniworld_site.library import selectors
from aniworld_site.library.forms import RootAddForm
from aniworld_site.pages import (
    PageRequest,
    action,
    done,
    page,
    render_page,
    require,
)
from aniworld_site.timetable import TIMETABLE, run_now
from aniworld_site.worker import is_worker_alive


@page("library.view_series")
def dashboard(request: PageRequest) -> HttpResponse:
    context = {
        "totals": selectors.get_totals,
        "notices": selectors.list_notices,
        "roots": selectors.list_measured_roots,
        "scans": selectors.list_active_scans,
        "arrivals": selectors.list_arrivals,
        "new_series": selectors.list_new_series,
        "form": RootAddForm(),
    }
    parts = ("totals", "notices", "roots", "arrivals")
    return render_page(
        request, "dashboard.html", context, parts=parts, folder="library"
    )


@page("library.view_series")
def schedule(request: PageRequest) -> HttpResponse:
    context = {
        "tasks": list_planned,
        "readings": list_readings,
        "has_worker": is_worker_alive,
    }
    parts = ("schedule-tasks", "schedule-sources")
    return render_page(request, "schedule.html", context, parts=parts)


@action("library.view_series")
def schedule_run(request: PageRequest, name: str) -> HttpResponse:
    entry = next((entry for entry in TIMETABLE if entry.name == name), None)
    if entry is None:
        raise Http404
    require(request.user, entry.permission)
    run_now(entry)
    if is_worker_alive():
        return done(request, f"{entry.label}: a worker does it now.")
    return done(request, f"{entry.label}: it is done as soon as a worker is there.")


@method_decorator(login_not_required, name="dispatch")
class SiteLoginView(LoginView):
    """The login page; on a fresh site it leads to the first run."""

    redirect_authenticated_user = True

    def dispatch(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if getattr(request, "htmx", None):
            # A page whose session ended asked for a part of itself: let it reload, and come here as a whole.
            return HttpResponseClientRefresh()
        if request.method == "GET" and not has_users():
            return redirect("setup")
        return super().dispatch(request, *args, **kwargs)


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    if has_users():
        return redirect("login")
    form = SetupForm(request.POST or None)
    if form.is_valid():
        try:
            user = create_administrator(
                form.cleaned_data["username"], form.cleaned_data["password1"]
            )
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("login")
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("dashboard")
    return render(request, "registration/setup.html", {"form": form})
