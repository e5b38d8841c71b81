from __future__ import annotations

from pathlib import Path

import pytest

from tests.library.shelves import Shelf, make_shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path / "media")
