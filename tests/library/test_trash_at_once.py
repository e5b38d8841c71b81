"""Clicks on trash that come at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import FileOperation
from aniworld_site.library.services import trash_files
from tests.library.shelves import Shelf, make_shelf

pytestmark = pytest.mark.django_db(transaction=True)


def click(shelf: Shelf) -> str:
    try:
        trash_files([shelf.file], by="keeper")
    except DomainError as error:
        return str(error)
    finally:
        connection.close()
    return "done"


def test_of_clicks_at_the_same_moment_one_is_done_and_none_fails(tmp_path: Path):
    shelf = make_shelf(tmp_path)
    shelf.bring()

    with ThreadPoolExecutor(4) as clicks:
        said = list(clicks.map(click, [shelf] * 4))

    trashed = FileOperation.objects.filter(kind=FileOperation.Kind.TRASH)
    assert [each.state for each in trashed] == [FileOperation.State.DONE]
    assert sorted("in the trash already" in each for each in said) == [
        False,
        True,
        True,
        True,
    ]
