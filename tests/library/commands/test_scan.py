"""The commands in processes of their own, with and without a site that runs."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.trees import write, write_season
from tests.running import RunningSite, until

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def home() -> Iterator[RunningSite]:
    """A data folder without a running site."""
    home = RunningSite()
    try:
        assert home.manage("migrate", "-v0").returncode == 0
        yield home
    finally:
        home.remove()


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSite]:
    site = RunningSite()
    try:
        yield site.start()
    finally:
        site.remove()


def test_without_a_site_the_command_scans_itself(home: RunningSite, tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=4)
    added = home.manage("add_root", str(tmp_path), "--name", "Alone")

    done = home.manage("scan", "--root", str(tmp_path))

    assert "Added" in added.stdout
    assert done.returncode == 0, done.stderr
    assert "Alone: 4 files of 1 series" in done.stdout
    assert "4/4 100%" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_dry_run_changes_nothing(home: RunningSite, tmp_path: Path):
    write_season(tmp_path, "Light", episodes=2)
    home.manage("add_root", str(tmp_path), "--name", "Dry")

    planned, again = (
        home.manage("scan", "--root", "Dry", "--dry-run"),
        home.manage("scan", "--root", "Dry", "--dry-run"),
    )

    assert planned.returncode == 0, planned.stderr
    assert "new series light: Light" in planned.stdout
    assert "2 files read: 2 to add" in planned.stdout
    assert planned.stdout == again.stdout


def test_held_files_are_confirmed_by_command(home: RunningSite, tmp_path: Path):
    write_season(tmp_path, "Grey", episodes=4)
    home.manage("add_root", str(tmp_path), "--name", "Held")
    home.manage("scan", "--root", "Held")
    for path in list(tmp_path.rglob("*.mkv"))[:2]:
        path.unlink()

    held = home.manage("scan", "--root", "Held")
    confirmed = home.manage("scan", "--root", "Held", "--confirm-vanished")

    assert "2 files were not found and are kept" in held.stdout
    assert "--confirm-vanished" in held.stdout
    assert "2 vanished" in confirmed.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--root", "Nowhere"), "There is no root folder Nowhere."),
        (("--series", "no-such"), "There is no series with the key no-such."),
        (("--no-wait",), "No worker is running"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    home: RunningSite, tmp_path: Path, arguments: tuple[str, ...], sentence: str
):
    home.manage("add_root", str(tmp_path), "--name", f"For {arguments[0]}")

    done = home.manage("scan", *arguments)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_scan_exits_with_one(home: RunningSite, tmp_path: Path):
    place = tmp_path / "disk"
    write_season(place, "Gone", episodes=1)
    home.manage("add_root", str(place), "--name", "Unplugged")
    place.rename(tmp_path / "away")

    done = home.manage("scan", "--root", "Unplugged")

    assert done.returncode == 1
    assert "Is its disk connected?" in done.stderr


@pytest.mark.parametrize("name", ["home", "site"])
def test_ctrl_c_cancels_and_says_so(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
):
    place: RunningSite = request.getfixturevalue(name)
    for number in range(2000):
        write_season(tmp_path, f"Series {number}", episodes=8)
    place.manage("add_root", str(tmp_path), "--name", f"Cancelled {name}")
    command = place.popen("scan", "--root", f"Cancelled {name}")
    newest = "SELECT state FROM library_scan ORDER BY id DESC LIMIT 1"
    until(lambda: place.ask(newest) == [("running",)], what="a running scan")

    command.send_signal(signal.SIGINT)
    output, _ = command.communicate(timeout=15)

    assert command.returncode == 130, output
    assert "Cancelled." in output
    assert "Traceback" not in output
    # The worker ends it, which is another process where the site runs.
    until(lambda: place.ask(newest) == [("cancelled",)], what="its end")


def test_with_a_site_its_worker_does_the_scan(site: RunningSite, tmp_path: Path):
    write_season(tmp_path, "Dark", episodes=4)
    write(tmp_path, "Dark/what.mkv")
    site.manage("add_root", str(tmp_path), "--name", "Served")

    left = site.manage("scan", "--root", "Served", "--no-wait")
    done = site.manage("scan", "--root", "Served", "--full")

    assert re.search(r"Served: scan \d+ is queued\.", left.stdout)
    assert done.returncode == 0, done.stderr
    assert "1 unmatched" in done.stdout
