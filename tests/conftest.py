"""Fixtures for all tests."""

from __future__ import annotations

import pytest

from tests import settings as test_settings
from tests.servers import Valkey


@pytest.fixture(scope="session")
def valkey() -> Valkey:
    """The Valkey behind the channel layer and the worker's queue; whoever kills it starts it again."""
    return test_settings.valkey
