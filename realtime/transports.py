"""Writing to one connection: plain ASGI sends, in order, without ever waiting for the reader."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

logger = logging.getLogger(__name__)

MAX_BACKLOG_BYTES = 256 * 1024
CLOSE_TIMEOUT_S = 1.0

Send = Callable[[Any], Awaitable[None]]


class Transport:
    """One connection's writer.

    A send that ends at once, which is the rule, costs no task. One that suspends, since the server's buffer is full, goes on in a task
    of its own while later frames wait here; beyond 256 KiB they are dropped and `on_overflow` is called, once.
    """

    def __init__(self, send: Send, *, on_overflow: Callable[[], None]) -> None:
        self._send = send
        self._on_overflow = on_overflow
        self._backlog: deque[str] = deque()
        self._backlog_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def write(self, frame: str) -> None:
        """Send a text frame after those before it; never waits, never raises, does nothing once closed."""
        if self._is_closed:
            return
        if self._task is not None:
            self._keep(frame)
            return
        # The coroutine is stepped by hand: a task per frame and connection would double the cost of a broadcast.
        steps = self._send({"type": "websocket.send", "text": frame}).__await__()
        try:
            waits_for = next(steps)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - an edge: servers raise what they like for a connection that is gone
            self._give_up(error)
        else:
            self._task = asyncio.get_running_loop().create_task(
                self._drain(_Rest(steps, waits_for))
            )

    async def close(self, code: int, *, last: str) -> None:
        """Send what waits, the last frame and the close code, for at most a second; nothing can be written afterwards."""
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if self._task is not None:
                    await self._task
                await self._send({"type": "websocket.send", "text": last})
                await self._send({"type": "websocket.close", "code": int(code)})
        except Exception as error:  # noqa: BLE001 - an edge: as above; a reader that stalls is a TimeoutError
            self._give_up(error)

    def discard(self) -> None:
        """Forget what waits; the connection is gone."""
        self._is_closed = True
        self._backlog.clear()
        if self._task is not None:
            self._task.cancel()

    def _keep(self, frame: str) -> None:
        self._backlog.append(frame)
        self._backlog_bytes += len(frame.encode())
        if self._backlog_bytes > MAX_BACKLOG_BYTES:
            self._is_closed = True
            self._backlog.clear()
            self._on_overflow()

    async def _drain(self, rest: _Rest) -> None:
        try:
            await rest
            while self._backlog:
                frame = self._backlog.popleft()
                self._backlog_bytes -= len(frame.encode())
                await self._send({"type": "websocket.send", "text": frame})
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self._give_up(error)
        finally:
            self._task = None

    def _give_up(self, error: Exception) -> None:
        self._is_closed = True
        self._backlog.clear()
        logger.debug("A connection can no longer be written to: %r", error)


class _Rest:
    """What is left of an awaitable whose first step was taken by hand."""

    def __init__(self, steps: Generator[Any, Any, None], waits_for: Any) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    yield waits_for
                except BaseException as error:  # noqa: BLE001 - cancellation, too, belongs to the awaitable
                    waits_for = self._steps.throw(error)
                else:
                    waits_for = next(self._steps)
            except StopIteration:
                return
