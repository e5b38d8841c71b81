"""The app that has the messages and rooms."""

from __future__ import annotations

from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "benchmarks.realtime.project"
    label = "bench"
