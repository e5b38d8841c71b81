"""What the log of a request that is refused has."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from tests.factories import make_user


@pytest.mark.django_db
def test_refused_request_is_one_line(client: Client, caplog: pytest.LogCaptureFixture):
    client.force_login(make_user(perms=()))

    assert client.get("/schedule/").status_code == 403

    [record] = [each for each in caplog.records if each.name == "django.request"]
    assert "/schedule/" in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize("status", [500, 404])
def test_fault_keeps_its_traceback(caplog: pytest.LogCaptureFixture, status: int):
    error = ValueError("a fault")
    caplog.set_level(logging.WARNING)

    logging.getLogger("django.request").warning(
        "It broke", exc_info=error, extra={"status_code": status}
    )

    [record] = caplog.records
    assert record.exc_info is not None
