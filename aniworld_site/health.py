"""Whether the site is well, for monitors: open to everybody, and says no more than that."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from aniworld_site.worker import is_broker_alive, is_worker_alive

UNAVAILABLE = 503


@login_not_required
@never_cache
@require_safe
def ping(_request: HttpRequest) -> JsonResponse:
    """Answer as long as this process does: `{"status": "OK"}`."""
    return JsonResponse({"status": "OK"})


@login_not_required
@never_cache
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Answer `{"status": "OK", "checks": {"database": "OK", ...}}`, with 503 and "bad" for whatever does not answer."""
    checks = {
        "database": _is_database_alive(),
        "broker": is_broker_alive(),
        "worker": is_worker_alive(),
    }
    words = {name: "OK" if is_well else "bad" for name, is_well in checks.items()}
    is_well = all(checks.values())
    return JsonResponse(
        {"status": "OK" if is_well else "bad", "checks": words},
        status=200 if is_well else UNAVAILABLE,
    )


def _is_database_alive() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True
