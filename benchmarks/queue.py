"""Measures the queue: what a download costs beside curl, how soon a wish takes effect, the page of a long queue, and memory at rest.

    python -m benchmarks.queue [--only fetch steer page idle workers] [--runs 3]

Sites are started as a person starts them, on loopback and in temporary folders; figures are medians of the runs.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.downloads.media import MATROSKA, make_video, put_video, sha256
from tests.downloads.sources import BadSource
from tests.running import PASSWORD, PROJECT, USER, RunningSite, until

GIB, MB = 1 << 30, 1_000_000
LONG = 10_000
REST_S = 20

Row = tuple[str, str, str]
"""What, measured, asked."""


class _Files(http.server.SimpleHTTPRequestHandler):
    """Sends files by sendfile, so that the server costs the machine next to nothing."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        path = self.folder / Path(self.path).name
        size = path.stat().st_size
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.flush()
        with path.open("rb") as file:
            sent = 0
            while sent < size:
                sent += os.sendfile(
                    self.connection.fileno(), file.fileno(), sent, size - sent
                )

    def log_message(self, *_arguments: object) -> None:
        """Be quiet."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = type("Files", (_Files,), {"folder": folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def measure_cpu(command: list[str], said: str = "") -> float:
    """Return the seconds of processor time, of user and system, that a command takes."""
    process = subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None  # noqa: S101  # Told to the type checker.
    process.stdin.write(said.encode())
    process.stdin.flush()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdin.close()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}.")
    return usage.ru_utime + usage.ru_stime


def fetch(runs: int) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="awb-"))
    sizes = {"large": GIB, "small": 5 * MB}
    try:
        for name, size in sizes.items():
            with (folder / f"{name}.mkv").open("wb") as file:
                file.write(MATROSKA)
                file.truncate(size)
        with serving(folder) as url:
            return [
                _fetch(folder, f"{url}/{name}.mkv", size, runs)
                for name, size in sizes.items()
            ]
    finally:
        shutil.rmtree(folder)


def _fetch(folder: Path, url: str, size: int, runs: int) -> Row:
    ours, theirs = [], []
    for _ in range(runs):
        part, plain = folder / "ours.part", folder / "theirs"
        job = {
            "target": {"url": url, "private_hosts": ["127.0.0.1"]},
            "path": os.fsencode(part).hex(),
            "size_bytes": None,
            "checksum": "",
            "most_bytes": 1 << 50,
            "extensions": [".mkv"],
            "limit": 0,
        }
        command = [sys.executable, "-m", "aniworld_site.downloads.transfer"]
        ours.append(measure_cpu(command, f"{json.dumps(job)}\n"))
        theirs.append(measure_cpu(["curl", "-s", "-o", str(plain), url]))
        for path in (part, Path(f"{part}.json"), plain):
            path.unlink()
    mine, other = statistics.median(ours), statistics.median(theirs)
    return (
        f"processor time of one download of {size // MB} MB, curl {other:.2f} s",
        f"{mine:.2f} s, {mine / other:.2f} times",
        "1.5 times" if size == GIB else "",
    )


class Client:
    """A person who is logged in, over one connection."""

    def __init__(self, site: RunningSite) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port)
        self._cookies: dict[str, str] = {}
        self.get("/login/")
        self.post("/login/", username=USER, password=PASSWORD)

    def get(self, path: str) -> tuple[float, str]:
        """Return the seconds to the first byte, and the page."""
        return self._ask("GET", path, "")

    def post(self, path: str, **values: object) -> tuple[float, str]:
        token = {"csrfmiddlewaretoken": self._cookies["aniworld_csrf"], **values}
        return self._ask("POST", path, urlencode(token, doseq=True))

    def _ask(self, method: str, path: str, body: str) -> tuple[float, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {
            "Cookie": cookies,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        took = time.perf_counter() - began
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        text = answer.read().decode()
        if answer.status >= 400:
            raise RuntimeError(f"{path} answers {answer.status}.")
        return took, text


@contextmanager
def started(*arguments: str) -> Iterator[RunningSite]:
    site = RunningSite(*arguments)
    try:
        yield site.start()
    finally:
        site.remove()


def run(site: RunningSite, code: str) -> str:
    """Run Python in the site, as `manage.py shell` does."""
    done = site.manage("shell", "-v", "0", "-c", code)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def stock(site: RunningSite, server: BadSource, count: int, **video: object) -> None:
    """Have a series of so many episodes in the library, all of them missing and listed by a source."""
    root = site.data / "library"
    root.mkdir()
    listed = []
    for number in range(1, count + 1):
        content = make_video(200_000, seed=number)
        put_video(server, f"/{number}.mkv", content, **video)
        listed.append(
            {
                "key": f"e{number}",
                "title": f"Part {number}",
                "season": 1,
                "episode": number,
                "url": f"{number}.mkv",
                "size_bytes": len(content),
                "checksum": sha256(content),
            }
        )
    show = {"key": "show", "title": "Show", "episodes": listed}
    document = {"aniworld_catalogue": 1, "title": "Mine", "series": [show]}
    url = server.put("/c.json", json.dumps(document))
    for arguments in (
        ("add_root", str(root)),
        ("add_source", url, "--private"),
        ("add_listed", "Mine", "show"),
    ):
        done = site.manage(*arguments)
        if done.returncode:
            raise RuntimeError(done.stderr)
    run(
        site,
        "from aniworld_site.downloads.models import *; Source.objects.update(concurrency=4); "
        "Queue.objects.update_or_create(pk=1, defaults={'floor_mib': 0, 'concurrency': 4})",
    )


def count_children(site: RunningSite) -> int:
    """Count the processes that fetch for a site."""
    worker, found = site.pids().get("worker"), 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int(
                    (folder / "stat").read_text().rpartition(")")[2].split()[1]
                )
                is_ours = b"downloads.transfer" in (folder / "cmdline").read_bytes()
            except OSError:
                continue
            found += parent == worker and is_ours
    return found


def steer(runs: int) -> list[Row]:
    took: dict[str, list[float]] = {"pause": [], "cancel": [], "stop": []}
    with BadSource().running() as server, started() as site:
        stock(site, server, 1, bytes_per_s=10_000)
        client = Client(site)
        site.manage("queue", "add", "show", "--missing")
        [(pk,)] = site.ask("SELECT id FROM downloads_download")
        wishes: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "pause": (
                lambda: client.post("/queue/do/", one=f"pause:{pk}"),
                lambda: client.post("/queue/do/", one=f"resume:{pk}"),
            ),
            "cancel": (
                lambda: client.post("/queue/do/", one=f"cancel:{pk}"),
                lambda: client.post("/queue/do/", one=f"retry:{pk}"),
            ),
            "stop": (
                lambda: client.post("/queue/set/", do="stop"),
                lambda: client.post("/queue/set/", do="start"),
            ),
        }
        for _ in range(max(runs, 5)):
            for name, (wish, back) in wishes.items():
                until(lambda: count_children(site) == 1, what="a download that runs")
                began = time.perf_counter()
                wish()
                until(lambda: count_children(site) == 0, what=f"an end by {name}")
                took[name].append(time.perf_counter() - began)
                back()
    return [
        (
            f"{name}: until the process that fetches is gone",
            f"{statistics.median(each):.2f} s, at most {max(each):.2f} s",
            "2 s",
        )
        for name, each in took.items()
    ]


FILL = """
from aniworld_site.downloads.models import *
from aniworld_site.library.models import *
root = RootFolder.objects.create(name="R", path="/nowhere")
source = Source.objects.create(name="S", url="https://a.example/", is_enabled=False)
season = Season.objects.create(number=1, series=Series.objects.create(key="long", title="Long", sort_title="long", match_key="long"))
listed = SourceSeries.objects.create(source=source, key="long", title="Long", series=season.series)
Episode.objects.bulk_create([Episode(season=season, number=number) for number in range(1, {count} + 1)], batch_size=500)
episodes = list(Episode.objects.filter(season=season))
Download.objects.bulk_create([Download(episode=each, source=source, root=root, position=each.number << 20, size_bytes=10**9) for each in episodes], batch_size=500)
"""
COUNT = """
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.contrib.auth.models import User
client = Client(headers={"host": "127.0.0.1"})
client.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
client.get("/queue/")
with CaptureQueriesContext(connection) as made:
    client.get("/queue/")
print(len(made))
"""


def page(runs: int) -> list[Row]:
    queries, rows = [], []
    for count in (100, LONG):
        with started() as site:
            run(site, FILL.replace("{count}", str(count)))
            queries.append(run(site, COUNT).splitlines()[-1])
            if count == LONG:
                rows = _measure_page(site, runs)
    fixed = "the same" if len(set(queries)) == 1 else "not the same"
    return [
        *rows,
        (
            f"queries of the page with 100 and {LONG} downloads",
            f"{' and '.join(queries)}, {fixed}",
            "a fixed number",
        ),
    ]


def _measure_page(site: RunningSite, runs: int) -> list[Row]:
    client = Client(site)
    ids = re.findall(r'data-download="(\d+)"', client.get("/queue/")[1])
    pages = [client.get("/queue/")[0] for _ in range(10 * runs)]
    moves = [
        client.post("/queue/move/", downloads=ids[50 + at], before=ids[1])[0]
        for at in range(10 * runs)
    ]
    return [
        (
            f"first byte of the page of {LONG} downloads",
            f"{statistics.median(pages) * 1000:.0f} ms, at most {max(pages) * 1000:.0f} ms",
            "200 ms",
        ),
        (
            f"one of {LONG} rows put before another, from click to answer",
            f"{statistics.median(moves) * 1000:.0f} ms, at most {max(moves) * 1000:.0f} ms",
            "50 ms",
        ),
    ]


def idle(_runs: int) -> list[Row]:
    with started() as site:
        time.sleep(REST_S)
        kib = {
            name: sum(
                int(number)
                for number in re.findall(
                    r"^Private_\w+:\s+(\d+)",
                    Path(f"/proc/{pid}/smaps_rollup").read_text(),
                    re.MULTILINE,
                )
            )
            for name, pid in site.pids().items()
        }
    parts = ", ".join(f"{name} {size >> 10}" for name, size in sorted(kib.items()))
    return [
        (
            "private memory of the whole site at rest",
            f"{sum(kib.values()) >> 10} MiB ({parts})",
            "300 MB",
        )
    ]


def workers(_runs: int) -> list[Row]:
    count = 100
    with BadSource().running() as server, started() as site:
        stock(site, server, count)
        second = site.popen("serve", "--only", "worker")
        try:
            began = time.perf_counter()
            site.manage("queue", "add", "show", "--missing")
            done = "SELECT count(*) FROM downloads_download WHERE state = 'done'"
            until(lambda: site.ask(done)[0][0] == count, timeout_s=300)
            took = time.perf_counter() - began
        finally:
            second.terminate()
            second.communicate(timeout=30)
        files = [path for path, _ in server.requests if path.endswith(".mkv")]
        found = list((site.data / "library").rglob("*.mkv"))
    return [
        (
            f"{count} downloads shared by two workers",
            f"{len(files)} files asked for, {len(set(files))} of them different, {len(found)} in the library, {took:.0f} s",
            "none twice",
        )
    ]


SCENARIOS: dict[str, Callable[[int], list[Row]]] = {
    "fetch": fetch,
    "steer": steer,
    "page": page,
    "idle": idle,
    "workers": workers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sys.stdout.write("| what | measured | asked |\n| --- | --- | --- |\n")
    for name in options.only or SCENARIOS:
        for row in SCENARIOS[name](options.runs):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
