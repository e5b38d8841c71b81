"""`path("", include("realtime.urls"))` serves the numbers at `/metrics`."""

from __future__ import annotations

from django.urls import path

from realtime import views

app_name = "realtime"
urlpatterns = [path("metrics", views.metrics, name="metrics")]
