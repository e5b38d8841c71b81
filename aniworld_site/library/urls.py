"""Addresses of the library's pages."""

from __future__ import annotations

from django.urls import path

from aniworld_site.library import views

app_name = "library"
urlpatterns = [
    path("series/", views.series_list, name="series_list"),
    path("series-options/", views.series_options, name="series_options"),
    path("series/<slug:key>/", views.series_detail, name="series_detail"),
    path("series/<slug:key>/poster/", views.series_poster, name="series_poster"),
    path("series/<slug:key>/scan/", views.series_scan, name="series_scan"),
    path("series/<slug:key>/monitor/", views.series_monitor, name="series_monitor"),
    path("series/<slug:key>/wanted/", views.episode_wanted, name="episode_wanted"),
    path("history/", views.history, name="history"),
    path("history/<int:pk>/undo/", views.operation_undo, name="operation_undo"),
    path("series/<slug:key>/trash/", views.series_trash, name="series_trash"),
    path("series/<slug:key>/rename/", views.series_rename, name="series_rename"),
    path("series/<slug:key>/renamed/", views.series_renamed, name="series_renamed"),
    path("scans/", views.scan_list, name="scan_list"),
    path("scans/<int:pk>/", views.scan_detail, name="scan_detail"),
    path("scans/<int:pk>/cancel/", views.scan_cancel, name="scan_cancel"),
    path("unmatched/", views.unmatched, name="unmatched"),
    path("unmatched/badge/", views.unmatched_badge, name="unmatched_badge"),
    path("files/assign/", views.files_assign, name="files_assign"),
    path("files/ignore/", views.files_ignore, name="files_ignore"),
    path("folders/assign/", views.folder_assign, name="folder_assign"),
    path("folders/ignore/", views.folder_ignore, name="folder_ignore"),
    path("roots/", views.root_list, name="root_list"),
    path("roots/add/", views.root_add, name="root_add"),
    path("roots/<int:pk>/edit/", views.root_edit, name="root_edit"),
    path("roots/<int:pk>/scan/", views.root_scan, name="root_scan"),
    path(
        "roots/<int:pk>/confirm-vanished/",
        views.root_confirm_vanished,
        name="root_confirm_vanished",
    ),
    path("roots/<int:pk>/remove/", views.root_remove, name="root_remove"),
    path(
        "roots/<int:pk>/confirm-remove/",
        views.root_confirm_remove,
        name="root_confirm_remove",
    ),
]
