"""Notes when a request came in, so that its page can name rooms' positions from before anything was read for it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase


class PositionsMiddleware:
    """Belongs at the top of `MIDDLEWARE`."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.realtime_began = monotonic()  # type: ignore[attr-defined]
        return self.get_response(request)
