from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.downloads.sources import BadSource


@pytest.fixture
def source() -> Iterator[BadSource]:
    """A web server of this test's own."""
    with BadSource().running() as running:
        yield running
