"""What the worker does for the library by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from aniworld_site.library.models import RootFolder, Scan
from aniworld_site.library.tasks import do_scan, scan_roots
from aniworld_site.library.transitions import claim_scan
from tests.factories import make_root
from tests.library.trees import add, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Primary keys of scans that a worker was asked to do."""
    asked: list[int] = []
    monkeypatch.setattr(do_scan, "delay", asked.append)
    return asked


def make_away(**fields: object) -> RootFolder:
    return make_root(is_online=False, offline_reason="It is away.", **fields)


def test_each_root_that_is_online_is_scanned(asked: list[int]):
    roots = {make_root(), make_root()}
    make_away()

    scan_roots()

    scans = list(Scan.objects.all())
    assert {scan.root for scan in scans} == roots
    assert {scan.pk for scan in scans} == set(asked)
    assert {(scan.requested_by, scan.is_full, scan.series) for scan in scans} == {
        ("system", False, None)
    }


def test_root_that_is_back_is_scanned(tmp_path: Path):
    write(tmp_path, "Echo/Echo - S01E01.mkv")
    root = make_away(path=str(tmp_path))

    scan_roots()

    assert Scan.objects.get().root == root


def test_root_that_lost_its_files_is_left_alone(tmp_path: Path):
    """It may not be mounted."""
    make_away(path=str(tmp_path), file_count=3)

    scan_roots()

    assert not Scan.objects.exists()


def test_root_is_not_scanned_twice_at_once(tmp_path: Path):
    write(tmp_path, "Echo/Echo - S01E01.mkv")
    add(tmp_path)
    scan_roots()
    scan_roots()
    scan = Scan.objects.get()
    claim_scan(scan)

    scan_roots()
    do_scan(scan.pk)

    scan.refresh_from_db()
    assert scan.state == Scan.State.RUNNING
    assert not scan.is_again_requested
    assert Scan.objects.count() == 1


def test_without_roots_nothing_is_done(asked: list[int]):
    scan_roots()

    assert asked == []
