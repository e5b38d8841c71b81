"""The numbers of the realtime layer, for Prometheus."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from realtime.inspecting import measure
from realtime.keys import TooManyWrongKeysError, authenticate, find_key
from realtime.scopes import METRICS

PERMISSION = "realtime.view_metrics"


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format, to users with the permission and keys with the scope `metrics`.

    The numbers are those of the process that answers: each web process has its own, and what workers publish is counted in the
    workers. With `PROMETHEUS_MULTIPROC_DIR` set for all processes of a machine they are those of all.
    """
    refusal = _find_refusal(request)
    if refusal is not None:
        return refusal
    measure()
    return HttpResponse(
        generate_latest(_get_registry()), content_type=CONTENT_TYPE_LATEST
    )


def _find_refusal(request: HttpRequest) -> HttpResponse | None:
    sent = [
        (name.lower().encode(), value.encode("latin-1", "replace"))
        for name, value in request.headers.items()
    ]
    if find_key(sent) is None:
        user: Any = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return _ask_for_key(f"Log in, or send a key with the scope {METRICS}")
        if not user.has_perm(PERMISSION):
            return _refuse(
                HTTPStatus.FORBIDDEN, f"This takes the permission {PERMISSION}."
            )
        return None
    try:
        grant = authenticate(sent, address=request.META.get("REMOTE_ADDR") or "")
    except TooManyWrongKeysError as error:
        refusal = _refuse(HTTPStatus.TOO_MANY_REQUESTS, str(error))
        refusal["Retry-After"] = str(-(-error.after_ms // 1000))
        return refusal
    if grant is None:
        return _ask_for_key("This key is not valid; send one that is")
    if METRICS not in grant.scopes:
        return _refuse(
            HTTPStatus.FORBIDDEN, f"This takes a key with the scope {METRICS}."
        )
    return None


def _ask_for_key(what: str) -> HttpResponse:
    response = _refuse(
        HTTPStatus.UNAUTHORIZED, f"{what}, as Authorization: Bearer KEY."
    )
    response["WWW-Authenticate"] = "Bearer"
    return response


def _refuse(status: HTTPStatus, message: str) -> HttpResponse:
    return HttpResponse(
        f"{message}\n", status=status, content_type="text/plain; charset=utf-8"
    )


def _get_registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
