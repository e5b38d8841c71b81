"""Fixtures for all tests."""

from __future__ import annotations

import signal

import pytest

from tests import settings as test_settings
from tests.servers import Valkey

# Whatever a script starts in its background ignores Ctrl-C, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def valkey() -> Valkey:
    """The Valkey behind the channel layer and the worker's queue; whoever kills it starts it again."""
    return test_settings.valkey
