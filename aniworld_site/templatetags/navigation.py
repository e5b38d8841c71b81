"""The way around the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.urls import reverse

from aniworld_site.downloads.selectors import count_downloads
from aniworld_site.library.selectors import count_unmatched

NAVIGATION = (
    ("dashboard", "Dashboard", "home", "d"),
    ("library:series_list", "Series", "series", "s"),
    ("downloads:missing", "Missing", "missing", "m"),
    ("downloads:queue", "Queue", "queue", "q"),
    ("library:unmatched", "Unmatched", "unmatched", "u"),
)
MORE = (
    ("downloads:add", "Add series", "add", "a"),
    ("downloads:sources", "Sources", "source", "o"),
    ("library:root_list", "Folders", "folder", "f"),
    ("library:scan_list", "Scans", "scan", "c"),
    ("schedule", "Schedule", "schedule", "t"),
    ("library:history", "History", "history", "h"),
)

register = template.Library()


@register.inclusion_tag("_navigation.html", takes_context=True)
def main_navigation(context: template.RequestContext) -> dict[str, Any]:
    """List the pages, with the one being looked at and how much waits where."""
    path = context["request"].path
    more = _list_places(MORE, path)
    return {
        "places": _list_places(NAVIGATION, path),
        "more": more,
        "is_more": any(place["is_current"] for place in more),
        "unmatched": count_unmatched(),
        "counts": count_downloads(),
        # The badge names its room's position.
        "request": context["request"],
    }


def _list_places(
    places: Iterable[tuple[str, str, str, str]], path: str
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, label, icon, key in places:
        url = reverse(name)
        is_current = path == url if icon == "home" else path.startswith(url)
        found.append(
            {
                "url": url,
                "label": label,
                "icon": icon,
                "key": key,
                "is_current": is_current,
            }
        )
    return found
