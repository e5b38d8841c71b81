"""A browser of the queue, reduced to what it knows: it follows two rooms over the WebSocket and comes back whenever it is cut."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.running import USER, RunningSite

ROOMS = ("downloads", "queue")
AGAIN_S = 0.1
ACK_EVERY = 16
ENDS = {"download_complete", "download_removed"}
ENDED = ("done", "failed", "cancelled")


class Follower(threading.Thread):
    """Folds every frame; where a room begins anew it looks at the database, as a page would load again."""

    def __init__(self, site: RunningSite) -> None:
        super().__init__(name="follower")
        made = site.manage("make_api_key", USER, "--name", "follower", "--scope", "*")
        assert made.returncode == 0, made.stderr
        self._headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
        self._site = site
        self._ended = threading.Event()
        self.joined = threading.Event()
        """Set once it is in both rooms."""
        self.since: dict[str, dict[str, Any]] = {}
        self.live: dict[int, dict[str, Any]] = {}
        """The downloads that have not ended, and the last that was told of each."""
        self.completed: set[int] = set()
        self._told: set[int] = set()
        """Those whose end came as a message, not by a look."""
        self.status: dict[str, int] = {}
        """Of the last `queue_status`."""
        self.connections = self.refusals = self.snapshots = self.messages = 0
        self._ask_at: dict[str, float] = {}
        """When which room is joined next."""
        self.doubled: list[dict[str, Any]] = []
        self.gaps: list[tuple[dict[str, Any], dict[str, Any]]] = []
        """Frames that do not follow what came before."""
        self.broke: BaseException | None = None
        self.types: Counter[str] = Counter()

    def run(self) -> None:
        url = f"ws://127.0.0.1:{self._site.port}/ws/"
        while not self._ended.is_set():
            try:
                with connect(
                    url,
                    additional_headers=self._headers,
                    compression=None,
                    open_timeout=5,
                    close_timeout=1,
                    proxy=None,
                ) as socket:
                    self._listen(socket)
            except (OSError, WebSocketException, InvalidHandshake, TimeoutError):
                self._ended.wait(AGAIN_S)
            except Exception as error:  # noqa: BLE001  # The test says so.
                self.broke = error
                return

    def stop(self) -> None:
        self._ended.set()
        self.join(15)

    def _listen(self, socket: ClientConnection) -> None:
        socket.recv(5)
        self.connections += 1
        hello = {"protocol": 1, "acks": True, "batch": True}
        socket.send(json.dumps({"action": "hello", "data": hello}))
        self._ask_at = dict.fromkeys(ROOMS, 0.0)
        count = 0
        while not self._ended.is_set():
            self._ask(socket)
            try:
                text = socket.recv(0.5)
            except TimeoutError:
                continue
            count += 1
            frame = json.loads(text)
            is_batch = frame["type"] == "batch"
            for each in frame["data"]["messages"] if is_batch else [frame]:
                self._take(each)
            if frame["type"] == "ping":
                socket.send(json.dumps({"action": "pong", "data": frame["data"]}))
            if count % ACK_EVERY == 0:
                socket.send(json.dumps({"action": "ack", "data": {"n": count}}))

    def _ask(self, socket: ClientConnection) -> None:
        """Join where that is due: at first, and again where the server could not yet."""
        now = time.monotonic()
        for room in [room for room, at in self._ask_at.items() if at <= now]:
            del self._ask_at[room]
            since = {"since": self.since[room]} if room in self.since else {}
            data = {"room": room, **since}
            socket.send(json.dumps({"action": "join", "data": data, "ref": room}))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "joined":
            self._join(frame["data"])
        elif frame["type"] == "error":
            again_ms = frame["data"]["details"]["retry_after_ms"]
            self._ask_at[frame["ref"]] = time.monotonic() + again_ms / 1000
            self.refusals += 1
        elif "seq" in frame:
            since = self.since[frame["room"]]
            if frame["seq"] <= since["seq"]:
                self.doubled.append(frame)
                return
            if frame["prev"] != since["seq"]:
                self.gaps.append((dict(since), frame))
            since["seq"] = frame["seq"]
            self.messages += 1
            self._fold(frame)

    def _join(self, data: dict[str, Any]) -> None:
        room = data["room"]
        self.since[room] = {"epoch": data["epoch"], "seq": data["seq"]}
        if not data["recovered"]:
            self.snapshots += 1
            self._look()
            for frame in data["snapshot"]:
                if frame["type"] == "queue_status":
                    self.status = frame["data"]
        if len(self.since) == len(ROOMS):
            self.joined.set()

    def _look(self) -> None:
        rows = self._site.ask("SELECT id, state FROM downloads_download")
        self.completed = {pk for pk, state in rows if state == "done"}
        self.live = {
            pk: self.live.get(pk, {}) for pk, state in rows if state not in ENDED
        }

    def _fold(self, frame: dict[str, Any]) -> None:
        kind, data = frame["type"], frame["data"]
        self.types[kind] += 1
        if kind == "queue_status":
            self.status = data
        if "download_id" in data and frame["room"] == "downloads":
            self._fold_download(data["download_id"], frame)

    def _fold_download(self, pk: int, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "download_complete":
            if pk in self._told:
                self.doubled.append(frame)
            self._told.add(pk)
            self.completed.add(pk)
        if kind in ENDS:
            self.live.pop(pk, None)
        elif pk not in self.completed:
            # One that failed may be tried again: it is followed on.
            self.live.setdefault(pk, {}).update(frame["data"])
