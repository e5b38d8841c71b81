"""What messages tell of downloads can be written as text, whatever files are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aniworld_site.downloads.selectors.messages import get_relative_path
from tests.library.shelves import make_shelf

pytestmark = pytest.mark.django_db


def test_the_place_of_a_file_is_told_in_text(tmp_path: Path):
    shelf = make_shelf(tmp_path / "media")

    operation = shelf.bring(os.fsdecode(b"Dark \xff/1.mkv"))

    assert get_relative_path(operation) == "Dark \ufffd/1.mkv"
