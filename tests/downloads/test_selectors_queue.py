"""What the queue needs, and whether its disks hold it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from aniworld_site.downloads.models import Download, Queue
from aniworld_site.downloads.selectors import get_queue_view
from tests.factories import make_episode, make_root

pytestmark = pytest.mark.django_db


def make_download(**fields: Any) -> Download:
    return Download.objects.create(episode=make_episode(), **fields)


def test_what_came_of_an_unknown_size_makes_no_room_for_others():
    root = make_root()
    make_download(root=root, size_bytes=1_000, bytes_done=100)
    make_download(root=root, size_bytes=None, bytes_done=700)
    make_download(root=root, size_bytes=500, bytes_done=600)
    make_download(state="done", root=root, size_bytes=5_000)

    assert get_queue_view().left_bytes == 900


def test_of_nothing_with_a_size_nothing_is_to_come():
    make_download(root=None, size_bytes=None, bytes_done=700)

    assert get_queue_view().left_bytes == 0


def test_folders_on_one_disk_share_what_it_has(tmp_path: Path, viewer):
    roots = []
    size = shutil.disk_usage(tmp_path).free * 6 // 10
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        roots.append(make_root(name=name, path=str(tmp_path / name)))
        make_download(root=roots[-1], size_bytes=size)
    Queue.objects.update_or_create(pk=1, defaults={"floor_mib": 0})

    [forecast] = get_queue_view().forecasts
    page = viewer.get(reverse("downloads:queue")).content.decode()

    assert sorted(root.pk for root in forecast.roots) == [each.pk for each in roots]
    assert forecast.needed_bytes == 2 * size
    assert forecast.lacks_bytes > 0
    assert "queued for <bdi>first</bdi>, <bdi>second</bdi> needs" in page


def test_what_fits_is_not_foretold(tmp_path: Path):
    make_download(root=make_root(path=str(tmp_path)), size_bytes=1)
    Queue.objects.update_or_create(pk=1, defaults={"floor_mib": 0})

    assert get_queue_view().forecasts == []
