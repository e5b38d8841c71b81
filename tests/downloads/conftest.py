from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aniworld_site.downloads.dispatching import Dispatcher
from tests.downloads.queues import Shelf, make_shelf
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
def shelf(source: BadSource, tmp_path: Path) -> Iterator[Shelf]:
    yield make_shelf(source, tmp_path / "media")
    # What is dripped ends with the test.
    source.stop.set()


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.give_back()


@pytest.fixture
def viewer(client):
    client.force_login(make_user(MAY_LOOK))
    return client


@pytest.fixture
def keeper(client):
    client.force_login(make_user(MAY_ALL, username="keeper"))
    return client
