"""Free space, and disks that do not answer."""

from __future__ import annotations

import shutil
import threading
import time

from aniworld_site.disks import Disk, DiskMeter


def test_measure_tells_total_and_free(tmp_path):
    disk = DiskMeter().measure([str(tmp_path)])[str(tmp_path)]

    assert disk is not None
    assert 0 < disk.free_bytes < disk.total_bytes


def test_measure_knows_nothing_of_a_folder_that_is_not_there():
    assert DiskMeter().measure(["/not/there", "a\0b"]) == {
        "/not/there": None,
        "a\0b": None,
    }


def test_measure_does_not_wait_for_a_disk_that_hangs_and_asks_it_once(monkeypatch):
    answer, asked = threading.Event(), []

    def hang(path):
        asked.append(path)
        answer.wait(20)
        raise OSError

    monkeypatch.setattr(shutil, "disk_usage", hang)
    meter = DiskMeter()
    begin = time.monotonic()

    for _ in range(3):
        assert meter.measure(["/hung"]) == {"/hung": None}

    assert time.monotonic() - begin < 5
    assert asked == ["/hung"]
    answer.set()


def test_low_is_below_a_twentieth():
    assert Disk(total_bytes=100, free_bytes=4).is_low
    assert not Disk(total_bytes=100, free_bytes=5).is_low
    assert Disk(total_bytes=0, free_bytes=0).used_percent == 0
