"""A real site whose processes are killed without a pause: no download is lost, doubled or half, and whoever watches ends up with the truth."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.downloads.factories import catalogue, episode, series
from tests.downloads.following import ENDED, Follower
from tests.downloads.media import Video, make_video, put_video, sha256
from tests.downloads.sources import BadSource
from tests.running import RunningSite, until

pytestmark = pytest.mark.fault

CRASH_S = float(os.environ.get("ANIWORLD_TEST_CRASH_S", "60"))
SEED = int(os.environ.get("ANIWORLD_TEST_CRASH_SEED", "1"))
EPISODES, MORE_EPISODES = 200, 50
MORE_SERIES = 2 + int(CRASH_S / 15)
FEW = 40
"""Downloads that are left when more join."""
END_S = 120.0
BACK_S = 60.0
VICTIMS = ("worker", "web", "valkey", "child")
WEIGHTS = (2, 3, 2, 5)
CHILD = "aniworld_site.downloads.transfer"


@dataclass
class Offered:
    """A catalogue of series that a server has, and a site that may read it."""

    server: BadSource
    site: RunningSite
    root: Path
    chance: random.Random
    videos: dict[tuple[str, int], Video] = field(default_factory=dict)
    """By series' key and episode's number."""
    listed: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add_series(self, key: str, count: int, **video: object) -> None:
        """Let the catalogue list a series; fields of its videos, otherwise each is as bad as chance has it."""
        episodes = []
        for number in range(1, count + 1):
            path = f"/files/{key}/{number}.mkv"
            content = make_video(
                self.chance.randint(50_000, 400_000), seed=zlib.crc32(path.encode())
            )
            self.videos[key, number] = put_video(
                self.server, path, content, **(video or self._choose(number))
            )
            episodes.append(
                episode(
                    number,
                    url=path.removeprefix("/"),
                    size_bytes=len(content),
                    checksum=sha256(content),
                )
            )
        self.listed[key] = episodes

    def _choose(self, number: int) -> dict[str, object]:
        return {
            "bytes_per_s": self.chance.choice([0, 40_000, 60_000, 100_000, 200_000]),
            "has_ranges": number % 10 != 0,
            # Seldom, since a source that fails five times in a row rests.
            "cut_after": 40_000 if number % 25 == 7 else 0,
        }

    def open(self, *, concurrency: int = 16) -> None:
        """Make the root folder, and the source with all that is listed by now."""
        found = [series(key, *rows, title=key) for key, rows in self.listed.items()]
        url = self.server.put(
            "/catalogue.json", catalogue(*found), type="application/json"
        )
        self.root.mkdir()
        self.manage("add_root", str(self.root), "--name", "Crashes")
        self.manage("add_source", url, "--private", "--name", "Crashing")
        self.manage(
            "shell",
            "-c",
            "from aniworld_site.downloads.models import Queue, Source\n"
            f"Source.objects.update(concurrency={concurrency}, retries=20)\n"
            f"Queue.objects.update_or_create(pk=1, defaults={{'concurrency': {concurrency}, 'floor_mib': 0, 'writes_nfo': True}})",
        )

    def queue(self, key: str) -> None:
        """Take a listed series into the library and all of it into the queue."""
        self.manage("add_listed", "Crashing", key)
        self.manage("queue", "add", key, "--missing")

    def hurry(self) -> None:
        """Send everything as fast as it goes from here on."""
        for video in self.videos.values():
            video.bytes_per_s = 0

    def manage(self, *arguments: str) -> None:
        done = self.site.manage(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"

    def count_live(self) -> int:
        states = self.site.ask("SELECT state FROM downloads_download")
        return sum(state not in ENDED for (state,) in states)

    def wait_for_the_end(self, *, timeout_s: float = END_S) -> None:
        try:
            until(lambda: not self.count_live(), timeout_s=timeout_s)
        except AssertionError:
            rows = self.site.ask(
                "SELECT d.state, d.id, d.reason, d.starts, d.attempts, s.rests_until, s.rest_reason"
                " FROM downloads_download d JOIN downloads_source s ON s.id = d.source_id"
            )
            left = [row for row in rows if row[0] not in ENDED]
            raise AssertionError(f"{len(left)} downloads are left: {left}") from None

    def list_files(self) -> list[Path]:
        """Return what is in the library, without what describes it."""
        return [
            path
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
            and path.suffix != ".nfo"
            and ".aniworld" not in path.parts
        ]

    def list_parts(self) -> list[str]:
        return sorted(path.name for path in self.root.glob(".aniworld/partial/*"))


@pytest.fixture
def site() -> Iterator[RunningSite]:
    site = RunningSite()
    try:
        yield site.start()
    finally:
        site.remove()


@pytest.fixture
def offered(site: RunningSite, source: BadSource, tmp_path: Path) -> Iterator[Offered]:
    offered = Offered(source, site, tmp_path / "media", random.Random(SEED))  # noqa: S311  # It chooses whom to kill.
    yield offered
    # What is dripped ends with the test.
    source.stop.set()


@pytest.fixture
def follower(site: RunningSite) -> Iterator[Follower]:
    follower = Follower(site)
    follower.start()
    try:
        assert follower.joined.wait(20)
        yield follower
    finally:
        follower.stop()


def list_children(worker: int) -> list[int]:
    """Return the processes of a worker that fetch; they know of no site, so their parent says whose they are."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == worker and CHILD.encode() in command:
                found.append(int(folder.name))
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def freeze(pid: int, site: RunningSite) -> bool:
    """Stop a process; False, and it goes on, where it was just writing: on SQLite nobody else could write until it goes on."""
    os.kill(pid, signal.SIGSTOP)
    if site.may_write():
        return True
    os.kill(pid, signal.SIGCONT)
    return False


@dataclass(frozen=True)
class Judged:
    """What became of all that was queued."""

    lost: list[object]
    doubled: list[object]
    half: list[object]


def judge(offered: Offered) -> Judged:
    """Compare the library, its rows and the journal with what the source has."""
    ask = offered.site.ask
    names = {
        pk: (key, number)
        for pk, key, number in ask(
            "SELECT e.id, s.key, e.number FROM library_episode e"
            " JOIN library_season n ON n.id = e.season_id JOIN library_series s ON s.id = n.series_id"
        )
    }
    with_file = {pk for (pk,) in ask("SELECT id FROM library_episode WHERE has_file")}
    done = Counter(
        pk
        for (pk,) in ask(
            "SELECT episode_id FROM downloads_download WHERE state = 'done'"
        )
    )
    links = Counter(
        pk for (pk,) in ask("SELECT episode_id FROM library_episodefilelink")
    )
    lost: list[object] = [
        name
        for pk, name in names.items()
        if pk not in with_file or not done[pk] or not links[pk]
    ]
    doubled: list[object] = [names[pk] for pk in names if done[pk] > 1 or links[pk] > 1]
    [(rows,)] = ask("SELECT count(*) FROM library_episodefile")
    files = offered.list_files()
    if (rows, len(files)) != (len(names), len(names)):
        doubled.append(f"{rows} rows and {len(files)} files of {len(names)} episodes")
    return Judged(lost, doubled, _find_half(offered, names, files))


def _find_half(
    offered: Offered, names: dict[int, tuple[str, int]], files: list[Path]
) -> list[object]:
    """Return files that are not as their source has them, and operations that did not bring one."""
    half: list[object] = []
    known = set(files)
    for episode_id, state, target, size in offered.site.ask(
        "SELECT d.episode_id, o.state, o.target, o.size_bytes FROM downloads_download d"
        " LEFT JOIN library_fileoperation o ON o.id = d.operation_id WHERE d.state = 'done'"
    ):
        content = offered.videos[names[episode_id]].content
        path = Path(target or "/nowhere")
        if (
            state != "done"
            or path not in known
            or not path.with_suffix(".nfo").is_file()
            or size != len(content)
            or hashlib.sha256(path.read_bytes()).digest()
            != hashlib.sha256(content).digest()
        ):
            half.append((names[episode_id], state, target, size, len(content)))
    return half


def list_operations(offered: Offered) -> Counter[tuple[str, str]]:
    return Counter(
        (str(kind), str(state))
        for kind, state in offered.site.ask(
            "SELECT kind, state FROM library_fileoperation"
        )
    )


class Killer:
    """Ends processes of a site at random, and counts them."""

    def __init__(self, offered: Offered) -> None:
        self._site, self._chance = offered.site, offered.chance
        self.killed: Counter[str] = Counter()

    def kill_one(self) -> None:
        [victim] = self._chance.choices(VICTIMS, WEIGHTS)
        pids = self._site.pids()
        if victim == "child":
            children = list_children(pids.get("worker", 0))
            pid = self._chance.choice(children) if children else None
        else:
            pid = pids.get(victim)
        if pid is None:
            # It is not back yet.
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.killed[victim] += 1


def test_nothing_is_lost_or_doubled_while_processes_are_killed(
    site: RunningSite, offered: Offered, follower: Follower
):
    began = time.monotonic()
    offered.add_series("show", EPISODES)
    more = [f"more-{number}" for number in range(MORE_SERIES)]
    for key in more:
        offered.add_series(key, MORE_EPISODES)
    offered.open()
    offered.queue("show")
    killer = Killer(offered)

    end = time.monotonic() + CRASH_S
    while time.monotonic() < end:
        killer.kill_one()
        time.sleep(offered.chance.uniform(0.8, 2.0))
        if offered.count_live() < FEW:
            offered.queue(more.pop(0))
    was_left = offered.count_live()
    offered.hurry()
    offered.wait_for_the_end()
    until(site.is_well, timeout_s=BACK_S, what="a site that is well")

    judged = judge(offered)
    killed = ", ".join(f"{name}={killer.killed[name]}" for name in VICTIMS)
    print(  # noqa: T201  # What the test is for.
        f"\nFAULT crash seed={SEED} kills={killer.killed.total()} ({killed}) lost={len(judged.lost)} doubled={len(judged.doubled)}"
        f" half={len(judged.half)} seconds={time.monotonic() - began:.0f} episodes={len(offered.list_files())} left_at_the_last_kill={was_left}"
        f" connections={follower.connections} refusals={follower.refusals} snapshots={follower.snapshots} messages={follower.messages}"
    )
    assert judged == Judged([], [], [])
    assert was_left
    operations = list_operations(offered)
    assert operations.pop(("import", "done")) == len(offered.list_files())
    # A kill between the name and the rows leaves none planned, and nothing that failed.
    assert not operations
    assert offered.list_parts() == []
    check_follower(offered, follower)


def check_follower(offered: Offered, follower: Follower) -> None:
    """Have a client end with what the database has, without loading anything again."""
    done = {
        pk
        for (pk,) in offered.site.ask(
            "SELECT id FROM downloads_download WHERE state = 'done'"
        )
    }
    counts = {"active": 0, "pending": 0, "failed": 0, "paused": 0}
    counts["completed"] = len(done)

    def has_the_end() -> bool:
        return (
            follower.completed == done
            and not follower.live
            and follower.status == counts
        )

    with suppress(AssertionError):
        until(has_the_end, timeout_s=15)
    assert follower.broke is None, follower.broke
    assert (follower.live, done - follower.completed) == ({}, set())
    assert follower.completed == done
    assert follower.status == counts
    assert (follower.doubled, follower.gaps) == ([], [])


@contextmanager
def holding_up_supervisor(site: RunningSite) -> Iterator[None]:
    """Have what is killed stay away meanwhile."""
    pid = site.pids()["supervisor"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_an_end_that_a_killed_worker_could_not_tell_is_learned(
    site: RunningSite, offered: Offered, follower: Follower
):
    offered.add_series("untold", 6, bytes_per_s=10_000)
    offered.open()
    offered.queue("untold")
    until(lambda: follower.types["download_progress"], what="a download that runs")

    # Without a broker what the worker says waits in it, and ends with it.
    with holding_up_supervisor(site):
        before = offered.count_live()
        site.kill("valkey")
        offered.videos["untold", 1].bytes_per_s = 0
        until(lambda: offered.count_live() < before, what="a download that ends")
        site.kill("worker")

    offered.hurry()
    offered.wait_for_the_end()
    check_follower(offered, follower)


def test_what_a_killed_worker_started_ends_with_it(site: RunningSite, offered: Offered):
    offered.add_series("slow", 6, bytes_per_s=20_000)
    offered.open(concurrency=6)
    offered.queue("slow")
    worker = site.pids()["worker"]
    until(lambda: len(list_children(worker)) == 6, what="six children")
    children = list_children(worker)

    site.kill("worker")

    until(
        lambda: not any(map(is_running, children)),
        timeout_s=3,
        what=f"the end of {children}",
    )
    offered.hurry()
    offered.wait_for_the_end()
    assert judge(offered) == Judged([], [], [])
    assert offered.list_parts() == []


@pytest.mark.parametrize("is_child_frozen", [False, True])
def test_a_worker_that_froze_does_not_write_after_its_lease(
    site: RunningSite, offered: Offered, *, is_child_frozen: bool
):
    offered.add_series("frozen", 1, bytes_per_s=50_000)
    offered.add_series("after", 1, bytes_per_s=50_000)
    offered.open(concurrency=1)
    offered.queue("frozen")
    worker = site.pids()["worker"]
    [child] = until(lambda: list_children(worker), what="a child")
    until(offered.list_parts, what="a partial file")

    until(lambda: freeze(worker, site), what="a worker that froze between two writes")
    if is_child_frozen:
        os.kill(child, signal.SIGSTOP)
    second = site.popen("serve", "--only", "worker")
    try:
        if is_child_frozen:
            # The other worker has the download, and the frozen child the file.
            until(
                lambda: describe(offered)[0] != 1, timeout_s=60, what="a second start"
            )
            os.kill(child, signal.SIGCONT)
        offered.wait_for_the_end(timeout_s=60)
        before = describe(offered)
    finally:
        second.terminate()
        second.communicate(timeout=20)
    os.kill(worker, signal.SIGCONT)
    # What it fetches now it fetches after it found the other one gone.
    offered.queue("after")
    offered.wait_for_the_end(timeout_s=60)

    assert site.pids()["worker"] == worker
    assert describe(offered) == before
    assert judge(offered) == Judged([], [], [])
    assert list_operations(offered) == {("import", "done"): 2}
    assert offered.list_parts() == []


def describe(offered: Offered) -> tuple[object, ...]:
    """Return all that a second writer of the first download would change, its starts first."""
    [row] = offered.site.ask(
        "SELECT d.starts, d.state, d.finished_at, o.id, o.state, o.done_at, f.id, f.inode, f.mtime_ns"
        " FROM downloads_download d LEFT JOIN library_fileoperation o ON o.id = d.operation_id"
        " LEFT JOIN library_episodefile f ON f.id = o.file_id WHERE d.id = 1"
    )
    return row
