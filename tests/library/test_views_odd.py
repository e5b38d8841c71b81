"""Pages that are asked for what no database takes, or saved while others write."""

from __future__ import annotations

import pytest
from django.db.models.signals import pre_save
from django.urls import reverse

from aniworld_site.library.models import RootFolder
from tests.factories import VIEW, make_root, make_series, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("library:series_list", "q"),
        ("library:series_options", "q"),
        ("library:series_options", "series"),
        ("library:unmatched", "q"),
        ("library:history", "series"),
    ],
)
def test_an_address_with_a_null_character_is_answered(client, page, name):
    client.force_login(make_user((*VIEW, "library.view_fileoperation")))
    make_series(key="echo")

    response = client.get(reverse(page), {name: "ec\0ho"})

    assert response.status_code == 200


def test_what_a_scan_writes_of_a_root_is_not_written_over(client):
    client.force_login(make_user((*VIEW, "library.change_rootfolder")))
    root = make_root()

    def note(**_kwargs):
        RootFolder.objects.update(is_online=False, file_count=7)

    pre_save.connect(note, sender=RootFolder)
    try:
        client.post(
            reverse("library:root_edit", args=[root.pk]),
            {"name": "New name", "is_anime": "true"},
        )
    finally:
        pre_save.disconnect(note, sender=RootFolder)

    root.refresh_from_db()
    assert (root.name, root.is_online, root.file_count) == ("New name", False, 7)
