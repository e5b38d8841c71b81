from __future__ import annotations

import importlib.metadata
import subprocess
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from aniworld_site.downloads.ytdlp.versions import (
    LOWEST,
    UpdateError,
    Version,
    get_library,
    get_version,
    update,
)
from tests.factories import make_user

INSTALLED = importlib.metadata.version("yt-dlp")
NEWER = "2099.01.02"
WORKS = "class YoutubeDL:\n    def __init__(self, options): ...\n"


def put(folder: Path, number: str, content: str = WORKS) -> Path:
    (folder / "yt_dlp").mkdir(parents=True)
    (folder / "yt_dlp" / "__init__.py").write_text(content, encoding="utf-8")
    text = f"__version__ = {number!r}\n"
    (folder / "yt_dlp" / "version.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def pip(monkeypatch):
    """Stand in for pip: `pip["number"]` comes, or `pip["error"]`."""
    answer: dict[str, Any] = {
        "number": NEWER,
        "error": "",
        "content": WORKS,
        "commands": [],
    }
    run = subprocess.run

    def fake(command, **options):
        if "pip" not in command:
            return run(command, **options)
        answer["commands"].append(command)
        if answer["error"]:
            return subprocess.CompletedProcess(command, 1, "", answer["error"])
        folder = Path(command[command.index("--target") + 1])
        put(folder, answer["number"], answer["content"])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", fake)
    return answer


def test_installed_one_has_no_known_hole():
    assert tuple(map(int, INSTALLED.split("."))) >= LOWEST


def test_pinned_one_has_no_known_hole():
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    (pinned,) = [line for line in lines if line.startswith("yt-dlp==")]

    assert tuple(map(int, pinned.partition("==")[2].split("."))) >= LOWEST


def test_installed_one_is_used_where_there_is_no_other(tmp_path):
    version = get_version(tmp_path)

    assert version.number == INSTALLED
    assert not version.is_updated
    assert get_library(tmp_path) == ""


@pytest.mark.parametrize(("days", "is_old"), [(0, False), (90, False), (91, True)])
def test_age_is_in_days_since_its_release(days, is_old):
    released_on = datetime.now(UTC).date() - timedelta(days=days)
    version = Version(number="x", released_on=released_on, is_updated=False)

    assert version.age_days == days
    assert version.is_old is is_old


def test_older_one_in_the_data_folder_is_not_used(tmp_path):
    put(tmp_path / "yt-dlp", "2020.01.01")

    assert not get_version(tmp_path).is_updated


def test_update_is_used_and_what_runs_keeps_what_it_began_with(tmp_path, pip):
    first = update(tmp_path)
    running = get_library(tmp_path)
    pip["number"] = "2099.02.03"
    second = update(tmp_path)

    assert first == Version(number=NEWER, released_on=date(2099, 1, 2), is_updated=True)
    assert second.number == "2099.02.03"
    assert (Path(running) / "yt_dlp" / "version.py").is_file()
    assert get_library(tmp_path) != running
    update(tmp_path)
    assert not Path(running).exists()
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "x\nERROR: No matching distribution\n"}, "No matching"),
        ({"content": "raise OSError('broken')"}, "does not run here: OSError: broken"),
        ({"number": "2026.06.01"}, "Expected yt-dlp of 2026.7.5 or newer"),
        ({"number": ""}, "got none"),
    ],
)
def test_update_that_fails_changes_nothing(tmp_path, pip, answer, words):
    update(tmp_path)
    before = sorted(tmp_path.iterdir())
    pip.update(answer)

    with pytest.raises(UpdateError, match=words):
        update(tmp_path)

    assert sorted(tmp_path.iterdir()) == before
    assert get_version(tmp_path).number == NEWER


def test_pip_that_hangs_is_a_sentence(tmp_path, monkeypatch):
    def hang(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)

    with pytest.raises(UpdateError, match="longer than 300 s"):
        update(tmp_path)


def test_folder_that_cannot_be_written_is_a_sentence(tmp_path, pip):
    (tmp_path / "file").write_text("")

    with pytest.raises(UpdateError, match="cannot be written"):
        update(tmp_path / "file" / "data")


def test_pip_installs_wheels_of_this_package_only(tmp_path, pip):
    update(tmp_path)

    (command,) = pip["commands"]
    assert {"--no-deps", "--only-binary", ":all:"} <= set(command)
    assert command[-1] == "yt-dlp"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("update_ytdlp", *arguments, stdout=out)
    return out.getvalue()


def test_command_shows_and_updates(tmp_path, pip, settings):
    settings.DATA_DIR = tmp_path

    assert f"yt-dlp {INSTALLED}, installed, is " in run("--check")
    assert pip["commands"] == []
    assert f"Before, it was {INSTALLED}" in run()
    assert "It is the newest" in run()
    pip["error"] = "no network"
    with pytest.raises(CommandError, match="no network"):
        run()


@pytest.mark.django_db
def test_page_updates_for_those_who_may_change_sources(tmp_path, pip, settings, client):
    settings.DATA_DIR = tmp_path
    url = reverse("downloads:ytdlp_update")
    client.force_login(make_user(("downloads.view_source",)))
    assert client.post(url).status_code == 403
    assert pip["commands"] == []
    keeper = make_user(("downloads.view_source", "downloads.change_source"))
    client.force_login(keeper)
    there = {"next": reverse("downloads:sources")}

    newer = client.post(url, there, follow=True).content.decode()
    again = client.post(url, there, follow=True).content.decode()
    pip["error"] = "no network"
    failed = client.post(url, there, follow=True).content.decode()

    assert f"yt-dlp {NEWER} is used from now on; before, it was {INSTALLED}." in newer
    assert f"yt-dlp {NEWER} is the newest there is." in again
    assert "yt-dlp could not be fetched: no network." in failed
