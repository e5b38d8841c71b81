"""The embedded Valkey: where its socket is, how it is started, and whether it answers. Standard library only."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

# A Unix socket's path may have 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100
ANSWER_TIMEOUT_S = 1.0


def socket_path(data_dir: Path) -> Path:
    """Return where the socket is: in the data folder, or for a folder too deep for that in one named after it."""
    path = data_dir / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return (
        Path(tempfile.gettempdir()) / f"aniworld-{os.getuid()}-{name}" / "valkey.sock"
    )


def make_folders(data_dir: Path) -> None:
    """Make the folders of the data and the socket, closed to other users: whoever reaches the socket may do anything.

    Raises:
        PermissionError: Another user made the socket's folder.
    """
    for folder in (data_dir / "valkey", socket_path(data_dir).parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user: delete it.")
        folder.chmod(0o700)


def command(binary: Path, data_dir: Path) -> list[str]:
    """Return the command line of a server that listens on nothing but its socket."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path(data_dir)),
        "unixsocketperm": "700",
        "dir": str(data_dir / "valkey"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        # Beside its data: what it says at each start is of no use to a person.
        "logfile": str(data_dir / "valkey" / "valkey.log"),
    }
    return [
        str(binary),
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]


def answers(path: Path) -> bool:
    """Tell whether a server answers a PING on this socket."""
    return _ask(path, b"PING\r\n").startswith(b"+PONG")


def stop_orphan(data_dir: Path, *, timeout_s: float) -> None:
    """End a server that outlived its supervisor, where the system could not see to that; its data is kept."""
    path, deadline = socket_path(data_dir), time.monotonic() + timeout_s
    while answers(path) and time.monotonic() < deadline:
        _ask(path, b"SHUTDOWN\r\n")
        time.sleep(0.05)
    path.unlink(missing_ok=True)


def set_damaged_data_aside(data_dir: Path) -> Path | None:
    """Move what the server refuses to read out of its way, since a room's history can be lost and a site that does not start is worse."""
    data = data_dir / "valkey" / "appendonlydir"
    if not data.exists():
        return None
    return data.rename(data.with_name(f"appendonlydir.damaged-{time.time_ns()}"))


def _ask(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(request)
            return connection.recv(64)
        except OSError:
            return b""
