"""The child process itself: how it ends, and what it is told on the way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aniworld_site.downloads.children import Child
from tests.downloads.media import Video, make_video, put_video, sha256
from tests.downloads.sources import BadSource

VIDEO = make_video(400_000)
SLOW = 100_000


@pytest.fixture
def video(source: BadSource) -> Iterator[Video]:
    yield put_video(source, "/1.mkv", VIDEO)
    source.stop.set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.part"


def start(source: BadSource, part: Path, **fields: Any) -> Child:
    target = {"url": f"{source.url}/1.mkv", "private_hosts": ["127.0.0.1"]}
    job = {
        "target": target,
        "path": os.fsencode(part).hex(),
        "size_bytes": None,
        "checksum": "",
        "most_bytes": 1 << 40,
        "extensions": [".mkv"],
        "limit": 0,
    }
    return Child("aniworld_site.downloads.transfer", {**job, **fields})


def hear(child: Child, name: str) -> dict[str, Any]:
    """Return the next line that says something of this name."""
    deadline = time.monotonic() + 20
    for said in child.listen(every_s=0.1):
        if said and name in said:
            return said
        assert time.monotonic() < deadline, child.complaint
    raise AssertionError(f"It ended without a word of {name}: {child.complaint}")


def wait_for_bytes(child: Child, count: int) -> None:
    while hear(child, "bytes")["bytes"] < count:
        pass


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_fetches_and_says_so(source: BadSource, video: Video, path: Path):
    child = start(source, path, checksum=sha256(VIDEO))

    said = hear(child, "done")

    assert (said, child.stop()) == ({"done": len(VIDEO), "extension": ".mkv"}, 0)
    assert path.read_bytes() == VIDEO


def test_a_child_ends_within_two_seconds_and_what_came_stays(
    source: BadSource, video: Video, path: Path
):
    video.bytes_per_s = SLOW
    child = start(source, path)
    wait_for_bytes(child, 50_000)

    began = time.monotonic()
    child.stop()

    assert time.monotonic() - began < 2
    assert not is_running(child.pid)
    came = path.read_bytes()
    assert 50_000 <= len(came) < len(VIDEO)
    assert VIDEO.startswith(came)
    assert hear(child, "error")["trouble"] == "stopped"


def test_a_child_that_waits_for_its_turn_ends_as_soon(
    source: BadSource, video: Video, path: Path
):
    child = start(source, path, limit=1000)
    hear(child, "bytes")

    began = time.monotonic()
    child.stop()

    assert time.monotonic() - began < 2


def test_a_child_that_does_not_listen_is_killed(
    source: BadSource, video: Video, path: Path
):
    video.bytes_per_s = SLOW
    child = start(source, path)
    wait_for_bytes(child, 1)
    os.kill(child.pid, signal.SIGSTOP)

    began = time.monotonic()
    code = child.stop()

    assert (code, time.monotonic() - began < 2) == (-signal.SIGKILL, True)


def test_a_child_ends_with_whoever_started_it(
    source: BadSource, video: Video, path: Path
):
    video.bytes_per_s = SLOW
    child = start(source, path)
    wait_for_bytes(child, 1)

    assert child.process.stdin is not None
    child.process.stdin.close()

    assert hear(child, "error")["trouble"] == "stopped"
    assert child.stop() == 1


def test_a_child_takes_another_limit_on_its_way(
    source: BadSource, video: Video, path: Path
):
    child = start(source, path, limit=10_000)
    hear(child, "bytes")

    child.tell({"limit": 0})

    began = time.monotonic()
    assert hear(child, "done")["done"] == len(VIDEO)
    # By the first limit it would take 40 s.
    assert time.monotonic() - began < 10
    child.stop()


def test_a_child_keeps_its_limit(source: BadSource, video: Video, path: Path):
    child = start(source, path, limit=200_000)
    hear(child, "bytes")

    began = time.monotonic()
    hear(child, "done")
    child.stop()

    assert 1.2 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ({"checksum": "sha256:00"}, "passing"),
        ({"most_bytes": 10}, "disk"),
        ({"extensions": []}, "permanent"),
        ({"path": os.fsencode("/proc/nothing/1.part").hex()}, "root"),
        ({"target": {"url": "http://127.0.0.1:1/"}}, "permanent"),
    ],
)
def test_a_child_says_what_is_wrong(
    source: BadSource, video: Video, path: Path, fields: dict[str, Any], trouble: str
):
    child = start(source, path, **fields)

    said = hear(child, "error")

    assert (said["trouble"], child.stop()) == (trouble, 1)
    assert said["error"].endswith(".")


def test_two_children_never_write_one_file(source: BadSource, video: Video, path: Path):
    video.bytes_per_s = SLOW
    first = start(source, path)
    wait_for_bytes(first, 1)

    second = start(source, path)

    assert hear(second, "error")["trouble"] == "busy"
    second.stop()
    first.stop()


def test_a_child_is_given_no_secret_of_the_site(
    source: BadSource, video: Video, path: Path, monkeypatch
):
    monkeypatch.setenv("ANIWORLD_SECRET_KEY", "secret-of-the-site")
    monkeypatch.setenv("PGPASSWORD", "secret-of-the-site")
    video.bytes_per_s = SLOW
    child = start(source, path)
    wait_for_bytes(child, 1)

    environment = Path(f"/proc/{child.pid}/environ").read_bytes()
    arguments = Path(f"/proc/{child.pid}/cmdline").read_bytes()
    child.stop()

    names = {line.partition(b"=")[0] for line in environment.split(b"\0") if line}
    assert b"secret" not in environment + arguments
    assert not any(name.startswith((b"ANIWORLD", b"PG", b"DJANGO")) for name in names)
