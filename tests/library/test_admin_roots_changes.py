"""What else changes with a root folder that is changed in the admin, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.models.signals import pre_save

from aniworld_site.library.models import RootFolder
from tests.factories import make_root
from tests.library.shelves import PLACE, make_shelf
from tests.library.test_admin import log_in, read_form
from tests.library.test_admin_roots import page_of

pytestmark = pytest.mark.django_db


def test_a_moved_root_takes_its_journal_along(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path / "old")
    shelf.bring()
    trashed = shelf.trash()
    shelf.path.rename(tmp_path / "new")
    client = log_in()

    client.post(
        page_of(shelf.root),
        {**read_form(client.get(page_of(shelf.root))), "path": f"{tmp_path}/new/"},
    )

    trashed.refresh_from_db()
    assert Path(trashed.target).is_relative_to(tmp_path / "new")
    assert Path(trashed.target).exists()
    assert trashed.came_from == str(tmp_path / "new" / PLACE)


def test_what_a_scan_writes_of_a_root_is_not_written_over(tmp_path: Path) -> None:
    root = make_root(path=str(tmp_path))
    client = log_in()
    form = read_form(client.get(page_of(root)))

    def note(sender: type[RootFolder], **_kwargs: Any) -> None:
        sender.objects.update(is_online=False, file_count=7)

    pre_save.connect(note, sender=RootFolder)
    try:
        client.post(page_of(root), {**form, "name": "Renamed"})
    finally:
        pre_save.disconnect(note, sender=RootFolder)

    root.refresh_from_db()
    assert (root.name, root.is_online, root.file_count) == ("Renamed", False, 7)
