"""How the library's things look on a page: names, drawn posters, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aniworld_site.library.fields import to_stored
from aniworld_site.library.models import Series
from aniworld_site.library.naming import printable as printable_name

HUES, SHAPES = 12, 6
FACTS = {
    "title": "Title",
    "year": "Year",
    "season": "Season",
    "episodes": "Episodes",
    "absolute": "Counted through",
    "label": "Label",
    "date": "Date",
    "part": "Part",
    "version": "Version",
    "group": "Group",
    "resolution": "Resolution",
    "how": "Read as",
    "confidence": "Confidence",
}
register = template.Library()


@register.filter
def printable(name: object) -> str:
    """Make a file name fit for a page: undecodable bytes and control characters become visible."""
    return printable_name(str(name))


@register.filter
def as_token(name: str) -> str:
    """Write a file name so that a form can carry it there and back; the view undoes it with `from_stored`."""
    return to_stored(name)


@register.filter
def percent_of(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


@register.filter
def facts(values: object) -> list[tuple[str, str]]:
    """List what a file's name says in the order a person reads it."""
    if not isinstance(values, Mapping):
        return []
    return [
        (label, printable_name(_join(values[name])))
        for name, label in FACTS.items()
        if values.get(name) not in (None, "", [])
    ]


@register.simple_tag
def ago(moment: datetime | None, never: str = "never") -> SafeString | str:
    """Say how long ago it was, with the exact time for those who point at it."""
    if moment is None:
        return never
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        exact,
        naturaltime(moment),
    )


@register.inclusion_tag("library/_poster.html")
def poster(series: Series) -> dict[str, Any]:
    """Show a series' poster, or draw a placeholder that is always the same for one key."""
    if series.poster:
        address = reverse("library:series_poster", args=[series.key])
        return {"address": f"{address}?{series.poster}"}
    seed = crc32(series.key.encode())
    words = [
        word for word in printable_name(series.title).split() if word[0].isalnum()
    ] or ["?"]
    initials = "".join(word[0] for word in words[:2]).upper()
    return {"hue": seed % HUES, "shape": seed // HUES % SHAPES, "initials": initials}


def _join(value: object) -> str:
    return (
        ", ".join(str(item) for item in value)
        if isinstance(value, list)
        else str(value)
    )
