"""What the real servers of these tests run: everybody is logged in."""

from __future__ import annotations

import django

django.setup()

from tests.realtime.lab import make_application, make_visitor  # noqa: E402 - needs the settings

application = make_application(make_visitor())
