"""The groups that accounts are given: viewer, operator, admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

VIEWED = ("rootfolder", "series", "season", "episode", "episodefile", "scan")
MORE = ("episodefilelink", "seriesfolder", "fileoperation", "download", "source")
VIEWER = {f"view_{name}" for name in (*VIEWED, *MORE)}
OPERATOR = VIEWER | {
    "scan_rootfolder",
    "change_series",
    "change_season",
    "change_episode",
    "change_episodefile",
    "change_fileoperation",
    "control_queue",
}


def make_groups(**_kwargs: Any) -> None:
    """Make the groups that are not there; one that a person has changed stays as it is."""
    apps = ("library", "downloads")
    ours = Permission.objects.filter(content_type__app_label__in=apps)
    wanted = {
        "viewer": ours.filter(codename__in=VIEWER),
        "operator": ours.filter(codename__in=OPERATOR),
        "admin": Permission.objects.filter(
            content_type__app_label__in=[
                *apps,
                "auth",
                "realtime",
                "django_celery_beat",
            ]
        ),
    }
    for name, permissions in wanted.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permissions)
