"""A whole site of its own, started as a person starts it: `manage.py serve` on a free port and an empty data folder."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from aniworld_site.valkey import socket_path
from tests.servers import make_database, wants_postgres

PROJECT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 180
USER, PASSWORD = "keeper", "a-long-enough-password"

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], T], *, timeout_s: float = 20, what: str = "it") -> T:
    """Return what `look` returns as soon as that is true; looks often, since other processes cannot be awaited."""
    deadline = time.monotonic() + timeout_s
    while True:
        if seen := look():
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {timeout_s} s in vain for {what}.")
        time.sleep(0.05)


class RunningSite:
    """One `serve` and its children. `environment` adds to what the site is started with."""

    def __init__(
        self,
        *arguments: str,
        environment: dict[str, str] | None = None,
        has_admin: bool = True,
    ) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="aws-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.arguments = arguments
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANIWORLD_", "DJANGO_"))
        }
        admin = (
            {"ANIWORLD_ADMIN_USER": USER, "ANIWORLD_ADMIN_PASSWORD": PASSWORD}
            if has_admin
            else {}
        )
        if wants_postgres():
            # On the server that the settings of the tests have started.
            server_url = os.environ["ANIWORLD_DATABASE_URL"]
            name = self.data.name.lower()
            clean["ANIWORLD_DATABASE_URL"] = make_database(server_url, name)
        self.environment = (
            clean
            | {"ANIWORLD_DATA_DIR": str(self.data), "COLUMNS": "200"}
            | admin
            | (environment or {})
        )
        self.process: subprocess.Popen[str] | None = None
        self.log = self.data / "serve.log"

    def start(self, *, wait: bool = True) -> RunningSite:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "serve",
                    "--port",
                    str(self.port),
                    *self.arguments,
                ],
                cwd=PROJECT,
                env=self.environment,
                text=True,
                stdout=log,
                stderr=log,
            )
        if wait:
            until(
                self.is_well,
                timeout_s=START_TIMEOUT_S,
                what=f"a site that is well:\n{self.log.read_text()}",
            )
        return self

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the site's database directly, which takes no time that a process would."""
        if url := self.environment.get("ANIWORLD_DATABASE_URL"):
            with psycopg.connect(url) as database:
                return database.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self.data / "aniworld.sqlite3")) as database:
            return database.execute(query).fetchall()

    def may_write(self) -> bool:
        """Tell whether no process keeps the database from others; on PostgreSQL none can for long."""
        if "ANIWORLD_DATABASE_URL" in self.environment:
            return True
        path = self.data / "aniworld.sqlite3"
        with closing(sqlite3.connect(path, timeout=1)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def is_well(self) -> bool:
        return self.get("/health")[0] == 200

    def health(self) -> dict[str, str]:
        body = self.get("/health")[1]
        checks: dict[str, str] = json.loads(body)["checks"] if body else {}
        return checks

    def pids(self) -> dict[str, int]:
        """Return the running children by name, and whatever else belongs to this site under its number."""
        found: dict[str, int] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                belongs = (
                    f"ANIWORLD_DATA_DIR={self.data}".encode()
                    in (folder / "environ").read_bytes()
                )
                command = (
                    (folder / "cmdline")
                    .read_bytes()
                    .replace(b"\0", b" ")
                    .decode(errors="replace")
                )
            except OSError:
                continue
            # Valkey writes its title over its environment.
            belongs = belongs or str(socket_path(self.data)) in command
            if belongs and command:
                names = {
                    "aniworld_site.supervisor": "supervisor",
                    "--only web": "web",
                    "--only worker": "worker",
                    "valkey": "valkey",
                }
                found[
                    next(
                        (name for part, name in names.items() if part in command),
                        folder.name,
                    )
                ] = int(folder.name)
        return found

    def kill(self, name: str) -> int:
        """End a child as a power cut would; return its process number."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self) -> int:
        """Stop the site as Ctrl-C does and return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process = None
        return code

    def remove(self) -> None:
        try:
            self.stop()
        finally:
            for pid in self.pids().values():
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(self.data, ignore_errors=True)
