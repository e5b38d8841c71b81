from __future__ import annotations

import base64
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import daphne.server  # noqa: F401  # It chooses Twisted's reactor, and has to be first.
import pytest

TIMEOUT_S = 8


class RunningServer:
    """A server of ours in a process of its own."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        module = "tests.realtime.servers.application"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, name, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self.lines: list[str] = []
        self.clients: list[Client] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        line = self.wait_for(r"127\.0\.0\.1:(\d+)")
        self.port = int(line[1])

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)
        self.process.stdout.close()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        match: re.Match[str] = until(
            lambda: re.search(pattern, self.log), what=pattern, log=self
        )
        return match

    @property
    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def connect(self, path: str = "/echo", *, buffer: int | None = None) -> Client:
        self.clients.append(Client(self.port, path, buffer=buffer))
        return self.clients[-1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        return code

    def remove(self) -> None:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.wait()


def until(
    look: Callable[[], Any], *, what: str, log: RunningServer | None = None
) -> Any:
    deadline = time.monotonic() + TIMEOUT_S
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited in vain for {what}: {log.log if log else ''}")
        time.sleep(0.01)
    return seen


class Client:
    """A WebSocket client that sends what it likes."""

    def __init__(self, port: int, path: str, *, buffer: int | None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT_S)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
        )
        self._data = b""

    def open(self) -> Client:
        """Wait for the server's answer to the handshake."""
        while b"\r\n\r\n" not in self._data:
            self._receive()
        self.header, self._data = self._data.split(b"\r\n\r\n", 1)
        assert b" 101 " in self.header
        return self

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_text(self, text: str) -> None:
        self.send(mask(0x81, text.encode()))

    def receive(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload."""
        while len(self._data) < 2:
            self._receive()
        size, start = self._data[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            while len(self._data) < start:
                self._receive()
            size = int.from_bytes(self._data[2:start])
        while len(self._data) < start + size:
            self._receive()
        opcode, payload = self._data[0] & 15, self._data[start : start + size]
        self._data = self._data[start + size :]
        return opcode, payload

    def receive_text(self) -> str:
        opcode, payload = self.receive()
        assert opcode == 1, (opcode, payload)
        return payload.decode()

    def receive_close(self) -> int:
        opcode, payload = self.receive()
        assert opcode == 8, (opcode, payload)
        return int(struct.unpack("!H", payload[:2])[0])

    def is_cut(self) -> bool:
        """Wait for the end of the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> None:
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError
        self._data += data


def mask(head: int, payload: bytes, *, size: int | None = None) -> bytes:
    """Return a client's frame; its key is zero, which leaves the payload as it is. `size` is what it claims."""
    size = len(payload) if size is None else size
    if size < 126:
        return struct.pack("!BBI", head, 0x80 | size, 0) + payload
    if size < 65536:
        return struct.pack("!BBHI", head, 0xFE, size, 0) + payload
    return struct.pack("!BBQI", head, 0xFF, size, 0) + payload


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request):
    running = RunningServer(request.param)
    yield running
    running.remove()
    assert "Traceback" not in running.log


@pytest.fixture
def ending(request):
    """Yield what starts a server that the test ends."""
    started: list[RunningServer] = []

    def start(name: str, *arguments: str) -> RunningServer:
        started.append(RunningServer(name, *arguments))
        return started[-1]

    yield start
    for running in started:
        running.remove()
