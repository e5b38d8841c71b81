"""Every page's address."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from aniworld_site import health, views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("schedule/", views.schedule, name="schedule"),
    path("schedule/<slug:name>/run/", views.schedule_run, name="schedule_run"),
    path("login/", views.SiteLoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("setup/", views.setup, name="setup"),
    path("", include("aniworld_site.library.urls")),
    path("", include("aniworld_site.downloads.urls")),
    path("admin/", admin.site.urls),
    path("", include("realtime.urls")),
    path("ping", health.ping, name="ping"),
    path("health", health.health, name="health"),
]
