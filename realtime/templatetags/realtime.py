"""Rooms of a part of a page, with their positions."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from realtime.positions import get_positions

register = template.Library()


@register.simple_tag(takes_context=True)
def live_rooms(context: dict[str, Any], *rooms: str) -> SafeString:
    """Return the attributes that make an element's part of the page live: `<section {% live_rooms "scan" "library" %}>`.

    The browser joins the rooms where the page was made, so that what happened since is delivered.
    """
    positions = get_positions(context.get("request"), rooms)
    since = " ".join(
        f"{room}={position.epoch}:{position.seq}"
        for room, position in positions.items()
    )
    return format_html(
        'data-live-rooms="{}" data-live-positions="{}"', " ".join(rooms), since
    )
