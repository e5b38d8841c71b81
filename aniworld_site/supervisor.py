"""Keeps the site's processes running on one machine; started by `manage.py serve`, which replaces itself with it.

It is our own, since it is all that is needed and small: process managers on the package index are unkept (honcho restarts nothing),
or (supervisor) configured by files and as large as what they would watch. It imports nothing but the standard library and the
embedded Valkey's module, so that it stays at a tenth of a Django process. Children are in sessions of their own, so that Ctrl-C in
the terminal ends them in our order, and the system ends them when this process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from aniworld_site import valkey

WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
POLL_S = 0.5
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.2, 5.0
# A child that lived this long was well: its next restart does not wait.
WELL_AFTER_S = 10.0
CRASHES_TO_TELL = 5
CRASHES_TO_SET_ASIDE = 2
STOP_S, STOP_BROKER_S = 12.0, 5.0
BROKER_START_S = 5.0
BROKER = "valkey"
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(slots=True, kw_only=True)
class Child:
    """One process that is to run."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    """Monotonic."""
    restart_at: float = 0.0
    """Monotonic; when a dead child is due."""
    crashes: int = 0
    """Deaths in a row before it was well."""
    refused: bool = False
    """Whether it ended by itself at its last death, with a code that is not 0; `False` for one that was killed."""

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        prepare = _prepare_child(os.getpid())
        # One thread, so that what runs before the child's program is safe.
        self.process = subprocess.Popen(  # noqa: S603  # Our own commands.
            self.command, start_new_session=True, preexec_fn=prepare
        )
        self.started_at = time.monotonic()

    def send(self, number: signal.Signals) -> None:
        """Signal the child and whatever it started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except (ProcessLookupError, PermissionError):
                return


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Runs its children until it is told to end; the broker starts first and ends last."""

    children: list[Child]
    data_dir: Path
    stopping: bool = False
    signals: socket.socket = field(init=False)
    """Where the numbers of received signals can be read, one byte each."""

    def run(self) -> int:
        self.signals, written = socket.socketpair()
        written.setblocking(False)  # noqa: FBT003  # The function takes it by position only.
        # Not sigtimedwait, which macOS lacks.
        signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        for number in WATCHED:
            signal.signal(number, _note_signal)
        for child in self.children:
            self._start(child)
        while not self.stopping:
            self._wait(POLL_S)
            if not self.stopping:
                self._revive()
        self._stop()
        return 0

    def _wait(self, timeout_s: float) -> None:
        if not select.select([self.signals], [], [], timeout_s)[0]:
            return
        asked = {*self.signals.recv(64)} - {signal.SIGCHLD}
        if asked and self.stopping:
            # Asked twice: whoever asks is in a hurry.
            self._kill(self.children)
        self.stopping = self.stopping or bool(asked)

    def _start(self, child: Child) -> None:
        try:
            if child.name == BROKER:
                self._make_way_for_broker(child)
            child.start()
        except (OSError, subprocess.SubprocessError) as error:
            # A machine out of processes or memory: it passes, and this process has to be there then.
            self._put_off(child, f"cannot be started ({error})")
            return
        if child.name == BROKER:
            self._await_broker(child)

    def _make_way_for_broker(self, child: Child) -> None:
        valkey.stop_orphan(self.data_dir, timeout_s=BROKER_START_S)
        # Once, and only for what it refused to read: a full disk or whoever kills it is no reason to lose the data.
        if (
            child.refused
            and child.crashes == CRASHES_TO_SET_ASIDE
            and (aside := valkey.set_damaged_data_aside(self.data_dir))
        ):
            tell(
                f"Valkey cannot read its data. It starts empty; the data is kept as {aside}."
            )

    def _await_broker(self, child: Child) -> None:
        deadline = time.monotonic() + BROKER_START_S
        path = valkey.socket_path(self.data_dir)
        while (
            child.is_running
            and time.monotonic() < deadline
            and not valkey.answers(path)
        ):
            time.sleep(0.02)

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.is_running:
                continue
            if child.process is not None:
                self._note_death(child, now)
            elif now >= child.restart_at:
                self._start(child)

    def _note_death(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101  # Told to the type checker; the caller looked.
        code = child.process.returncode
        # What it started must not go on beside its successor.
        child.send(signal.SIGKILL)
        child.process, child.refused = None, code > 0
        if now - child.started_at > WELL_AFTER_S:
            child.crashes = -1
        self._put_off(
            child,
            f"was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"ended with code {code}",
        )

    def _put_off(self, child: Child, why: str) -> None:
        """Note one more crash and when to try again, in any case so soon that it is back within 5 s."""
        child.crashes += 1
        wait_s = min(FIRST_BACKOFF_S * 2**child.crashes, LAST_BACKOFF_S - POLL_S)
        child.restart_at = time.monotonic() + wait_s
        tell(f"{child.name} {why}; it is started again.")
        if child.crashes == CRASHES_TO_TELL:
            tell(
                f"{child.name} has ended {CRASHES_TO_TELL} times in a row: {_where_it_says_why(child, self.data_dir)} says why. It is tried on."
            )

    def _stop(self) -> None:
        tell("Stopping.")
        broker = [child for child in self.children if child.name == BROKER]
        self._end([child for child in self.children if child.name != BROKER], STOP_S)
        self._end(broker, STOP_BROKER_S)

    def _end(self, children: Sequence[Child], timeout_s: float) -> None:
        for child in children:
            if child.is_running:
                child.send(signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while (
            any(child.is_running for child in children)
            and (left_s := deadline - time.monotonic()) > 0
        ):
            self._wait(min(left_s, 0.1))
        self._kill(children)

    def _kill(self, children: Sequence[Child]) -> None:
        for child in children:
            child.send(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _note_signal(_number: int, _frame: FrameType | None) -> None:
    """Take the signal's own effect from it; its number is read where the supervisor waits."""


def _prepare_child(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _where_it_says_why(child: Child, data_dir: Path) -> str:
    if child.name == BROKER:
        return str(data_dir / "valkey" / "valkey.log")
    return "what it printed above"


def tell(sentence: str) -> None:
    # A terminal that was closed must not end the site before its children have.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()


def main() -> int:
    plan = json.loads(sys.argv[1])
    children = [Child(name=name, command=command) for name, command in plan["children"]]
    return Supervisor(children=children, data_dir=Path(plan["data_dir"])).run()


if __name__ == "__main__":
    sys.exit(main())
