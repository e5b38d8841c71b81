from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.downloads.sources import BadSource
from tests.factories import VIEW, make_user

MAY_LOOK = (*VIEW, "downloads.view_download", "downloads.view_source")
MAY_ALL = (
    *MAY_LOOK,
    "downloads.control_queue",
    "downloads.change_source",
    "library.change_series",
    "library.change_fileoperation",
)


@pytest.fixture
def source() -> Iterator[BadSource]:
    """A web server of this test's own."""
    with BadSource().running() as running:
        yield running


@pytest.fixture
def viewer(client):
    client.force_login(make_user(MAY_LOOK))
    return client


@pytest.fixture
def keeper(client):
    client.force_login(make_user(MAY_ALL, username="keeper"))
    return client
