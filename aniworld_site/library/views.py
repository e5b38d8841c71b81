"""The library's pages and what a person can do on them."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import Truncator

from aniworld_site.exceptions import DomainError
from aniworld_site.library import forms, selectors, services
from aniworld_site.library.models import (
    Episode,
    EpisodeFile,
    FileOperation,
    RootFolder,
    Scan,
    Series,
)
from aniworld_site.library.posters import read_poster
from aniworld_site.library.templatetags.library import printable
from aniworld_site.pages import (
    PageRequest,
    Row,
    action,
    cleaned,
    done,
    get_page,
    page,
    render_page,
)

SERIES_PER_PAGE, FILES_PER_PAGE, SCANS_PER_PAGE = 60, 100, 30


@page("library.view_series")
def series_list(request: PageRequest) -> HttpResponse:
    wanted = forms.SeriesFilterForm(request.GET).wanted()
    found = _get_page(request, selectors.list_series(**wanted), size=SERIES_PER_PAGE)
    context = {
        "page_obj": found,
        "series": partial(selectors.add_counts, found),
        "wanted": wanted,
        "is_filtered": bool(wanted["text"] or wanted["only"] or wanted["root_id"]),
        "choices": {"only": forms.ONLY, "sort": forms.SORT},
        "roots": RootFolder.objects.all(),
    }
    parts = ("series-results",)
    return render_page(request, "library/series_list.html", context, parts=parts)


@page("library.view_series")
def series_options(request: PageRequest) -> HttpResponse:
    text = _read_text(request, "q") or _read_text(request, "series")
    found = selectors.list_series(text=text)[:20] if text.strip() else []
    return render(request, "library/_series_options.html", {"series": found})


@page("library.view_series")
def series_detail(request: PageRequest, key: str) -> HttpResponse:
    series = selectors.get_series(key)
    if series is None:
        raise Http404(f"No series has the key “{key}”.")
    files = selectors.list_series_files(series)
    context = {
        "series": series,
        "seasons": partial(selectors.list_seasons, series),
        "unmatched": partial(selectors.list_series_unmatched, series),
        "page_obj": partial(_get_page, request, files, size=FILES_PER_PAGE),
        "scans": selectors.list_active_scans,
    }
    parts = ("series-head", "series-seasons", "series-unmatched", "series-files")
    return render_page(request, "library/series_detail.html", context, parts=parts)


@page("library.view_series")
def series_poster(request: PageRequest, key: str) -> HttpResponse:
    found = read_poster(get_object_or_404(Series, key=key))
    if found is None:
        raise Http404("This series has no poster.")
    content, kind = found
    # Another poster has another address.
    kept = "private, max-age=31536000, immutable"
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": kept})


@action("library.scan_rootfolder")
def series_scan(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    services.request_series_scans(
        series, by=request.user.get_username(), is_full="full" in request.POST
    )
    return done(request, f"The folders of {series} will be read.")


@action("library.change_series")
def series_monitor(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    is_monitored = request.POST.get("monitored") == "1"
    services.set_monitored(
        Series.objects.filter(pk=series.pk), is_monitored=is_monitored
    )
    return done(
        request,
        f"{series} is {'monitored' if is_monitored else 'no longer monitored'}.",
    )


@action("library.change_series")
def episode_wanted(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    chosen = cleaned(forms.WantedForm(request.POST))
    narrow = (
        {"season__number": chosen["season"]}
        if chosen["whole"]
        else {"pk__in": chosen["episodes"]}
    )
    episodes = Episode.objects.filter(season__series=series, **narrow)
    changed = services.set_wanted(episodes, is_wanted=chosen["wanted"])
    what = "now wanted" if chosen["wanted"] else "now not wanted"
    return done(request, _tell(changed, "episode", what))


@page("library.view_scan")
def scan_list(request: PageRequest) -> HttpResponse:
    ended = selectors.list_ended_scans()
    context = {
        "scans": selectors.list_active_scans,
        "roots": selectors.list_roots,
        "page_obj": partial(_get_page, request, ended, size=SCANS_PER_PAGE),
    }
    parts = ("running-scans", "scan-history", "held-roots")
    return render_page(request, "library/scan_list.html", context, parts=parts)


@page("library.view_scan")
def scan_detail(request: PageRequest, pk: int) -> HttpResponse:
    scan = selectors.get_scan(pk)
    if scan is None:
        raise Http404("This scan is not in the list any more.")
    context = {"scan": scan}
    return render_page(request, "library/scan_detail.html", context, parts=("scan",))


@action("library.scan_rootfolder")
def scan_cancel(request: PageRequest, pk: int) -> HttpResponse:
    scan = get_object_or_404(Scan.objects.select_related("root"), pk=pk)
    services.cancel_scan(scan)
    return done(request, f"The scan of {scan.root} is being stopped.")


@page("library.view_episodefile")
def unmatched(request: PageRequest) -> HttpResponse:
    wanted = forms.UnmatchedFilterForm(request.GET).wanted()
    is_ignored = wanted.pop("is_ignored")
    files = selectors.list_ignored if is_ignored else selectors.list_unmatched
    found = _get_page(request, files(**wanted), size=FILES_PER_PAGE)
    context = {
        "page_obj": found,
        "groups": partial(selectors.group_unmatched, found),
        "wanted": wanted,
        "is_ignored": is_ignored,
        "roots": RootFolder.objects.all(),
    }
    parts = ("unmatched-files",)
    return render_page(request, "library/unmatched.html", context, parts=parts)


@page("library.view_series")
def unmatched_badge(request: PageRequest) -> HttpResponse:
    context = {"unmatched": selectors.count_unmatched}
    return render(request, "library/_unmatched_badge.html", context)


@action("library.change_series")
def files_assign(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.AssignFilesForm(request.POST))
    files = EpisodeFile.objects.filter(pk__in=chosen["files"])
    count = services.assign_files(
        files,
        series=chosen["series"],
        season=chosen["season"],
        episode=chosen["episode"],
    )
    return done(request, _tell(count, "file", f"assigned to {chosen['series']}"))


@action("library.change_series")
def files_ignore(request: PageRequest) -> HttpResponse:
    files = EpisodeFile.objects.filter(
        pk__in=cleaned(forms.FilesForm(request.POST))["files"]
    )
    if "unignore" in request.POST:
        return done(
            request,
            _tell(services.unignore_files(files), "file", "back among the unmatched"),
        )
    return done(request, _tell(services.ignore_files(files), "file", "ignored"))


@action("library.change_series")
def folder_assign(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.AssignFolderForm(request.POST))
    series = services.assign_folder(
        chosen["root"],
        chosen["folder"],
        series=chosen["series"],
        title=chosen["title"],
        year=chosen["year"],
    )
    return done(request, f"“{_short(chosen['folder'])}” is {series} from now on.")


@action("library.change_series")
def folder_ignore(request: PageRequest) -> HttpResponse:
    chosen = cleaned(forms.FolderForm(request.POST))
    services.ignore_folder(chosen["root"], chosen["folder"])
    return done(request, f"“{_short(chosen['folder'])}” is ignored from now on.")


@page("library.view_rootfolder")
def root_list(request: PageRequest) -> HttpResponse:
    return _render_roots(request, forms.RootAddForm())


@action("library.change_rootfolder")
def root_add(request: PageRequest) -> HttpResponse:
    form = forms.RootAddForm(request.POST)
    if form.is_valid():
        try:
            root = services.add_root(
                form.cleaned_data["path"], name=form.cleaned_data["name"]
            )
        except DomainError as error:
            form.add_error("path", str(error))
        else:
            return _read_first(request, root)
    return _render_roots(request, form, status=422)


@action("library.change_rootfolder")
def root_edit(request: PageRequest, pk: int) -> HttpResponse:
    root = get_object_or_404(RootFolder, pk=pk)
    form = forms.RootEditForm(request.POST, instance=root)
    # Not the whole row: a scan writes the rest of it meanwhile.
    root.save(update_fields=cleaned(form))
    return done(request, f"{root} is saved.")


@action("library.scan_rootfolder")
def root_scan(request: PageRequest, pk: int) -> HttpResponse:
    root = get_object_or_404(RootFolder, pk=pk)
    services.request_scan(
        root, by=request.user.get_username(), is_full="full" in request.POST
    )
    return done(request, f"{root} will be read.")


@action("library.scan_rootfolder")
def root_confirm_vanished(request: PageRequest, pk: int) -> HttpResponse:
    root = get_object_or_404(RootFolder, pk=pk)
    services.request_scan(root, by=request.user.get_username(), accepts_vanished=True)
    return done(
        request,
        f"{root} is read once more; what is not found then is dropped from the list.",
    )


@page("library.view_rootfolder")
def root_confirm_remove(request: PageRequest, pk: int) -> HttpResponse:
    return render(
        request,
        "library/root_confirm_remove.html",
        {"root": get_object_or_404(RootFolder, pk=pk)},
    )


@action("library.change_rootfolder")
def root_remove(request: PageRequest, pk: int) -> HttpResponse:
    root = get_object_or_404(RootFolder, pk=pk)
    services.remove_root(root)
    messages.success(
        request, f"{root} is removed from the list. Its files were not touched."
    )
    return redirect("library:root_list")


@page("library.view_fileoperation")
def history(request: PageRequest) -> HttpResponse:
    key = _read_text(request, "series")
    series = get_object_or_404(Series, key=key) if key else None
    operations = selectors.list_operations(series)
    context = {
        "series": series,
        "page_obj": partial(_get_page, request, operations, size=FILES_PER_PAGE),
    }
    parts = ("history-rows",)
    return render_page(request, "library/history.html", context, parts=parts)


@action("library.change_fileoperation")
def operation_undo(request: PageRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(
        FileOperation.objects.select_related("root", "series"), pk=pk
    )
    services.undo_operation(operation, by=request.user.get_username())
    return done(request, f"The {operation.get_kind_display()} is undone.")


@action("library.change_fileoperation")
def series_trash(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    ids = cleaned(forms.FilesForm(request.POST))["files"]
    files = EpisodeFile.objects.present().filter(pk__in=ids, series=series)
    trashed = services.trash_files(
        files.select_related("root", "series"), by=request.user.get_username()
    )
    return done(request, _tell(len(trashed), "file", "in the trash"))


@page("library.view_series")
def series_rename(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    form = forms.RenameForm(request.GET if "template" in request.GET else None)
    template = form["template"].value()
    renamings = []
    if not form.is_bound or form.is_valid():
        renamings = services.preview_names(series, str(template))
    context = {"series": series, "form": form, "renamings": renamings}
    return render(request, "library/series_rename.html", context)


@action("library.change_fileoperation")
def series_renamed(request: PageRequest, key: str) -> HttpResponse:
    series = get_object_or_404(Series, key=key)
    template = cleaned(forms.RenameForm(request.POST))["template"]
    renamings = services.preview_names(series, template)
    services.rename_files(renamings, by=request.user.get_username())
    return done(request, _tell(len(renamings), "file", "renamed"))


def _read_first(request: PageRequest, root: RootFolder) -> HttpResponse:
    if not request.user.has_perm("library.scan_rootfolder"):
        return done(request, f"{root} is added. It shows nothing until it is scanned.")
    services.request_scan(root, by=request.user.get_username())
    return done(request, f"{root} is added and will be read.")


def _render_roots(
    request: PageRequest, form: forms.RootAddForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "roots": selectors.list_measured_roots,
        "scans": selectors.list_active_scans,
        "is_roots_page": True,
    }
    parts = ("roots", "held-roots")
    response = render_page(request, "library/root_list.html", context, parts=parts)
    response.status_code = status
    return response


def _get_page(request: PageRequest, rows: QuerySet[Row], *, size: int) -> Page[Row]:
    return get_page(rows, request.GET.get("page"), size=size)


def _read_text(request: PageRequest, name: str) -> str:
    """Return what an address asks for, without the character that PostgreSQL takes in no text."""
    return request.GET.get(name, "").replace("\0", "")


def _tell(number: int, noun: str, what: str) -> str:
    if not number:
        return "Nothing had to change."
    return f"1 {noun} is {what}." if number == 1 else f"{number} {noun}s are {what}."


def _short(folder: str) -> str:
    return Truncator(printable(folder)).chars(80)
