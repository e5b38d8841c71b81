"""Writing to one connection: shared bytes where the server offers its extension, plain ASGI sends elsewhere.

No transport waits for a reader. One that could not hand everything over is *busy* until `on_free` is called; the connection keeps
what comes meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Protocol

from realtime.deliveries import Delivery, frame

logger = logging.getLogger(__name__)

EXTENSION = "realtime.transport"
CLOSE_TIMEOUT_S = 1.0

Send = Callable[[Any], Awaitable[None]]


class Transport(Protocol):
    """What a connection needs of its way out."""

    on_free: Callable[[], None]
    push: Callable[[bytes], object] | None
    """Writes a delivery's `wire` and answers as `write` does, where the server takes bytes."""

    def write(self, delivery: Delivery) -> object:
        """Hand frames over after those before; something true when some of them wait. Never raises, does nothing once closed."""

    async def close(self, code: int, *, last: str) -> None:
        """Send what waits, the last frame and the close code, for at most a second; nothing can be written afterwards."""

    def listen(self, take: Callable[[bytes], bool]) -> None:
        """Have text frames shown to `take` before they are queued, where the server does so; it returns whether it took one."""

    def discard(self) -> None:
        """Forget what waits; the connection is gone."""


def make_transport(scope: Mapping[str, Any], send: Send) -> Transport:
    """Return the best way out that this server offers."""
    extension = (scope.get("extensions") or {}).get(EXTENSION)
    return SharedTransport(extension, send) if extension else AsgiTransport(send)


def _do_nothing() -> None:
    return


class SharedTransport:
    """Writes shared bytes by the server's extension."""

    __slots__ = (
        "_drained",
        "_extension",
        "_is_closed",
        "_send",
        "_write",
        "on_free",
        "push",
    )

    def __init__(self, extension: Any, send: Send) -> None:
        self.on_free: Callable[[], None] = _do_nothing
        self._extension = extension
        self.push: Callable[[bytes], object] | None = extension.write
        self._write = extension.write
        self._send = send
        self._drained: asyncio.Event | None = None
        self._is_closed = False
        extension.on_drained = self._become_free

    def write(self, delivery: Delivery) -> object:
        return None if self._is_closed else self._write(delivery.wire)

    async def close(self, code: int, *, last: str) -> None:
        self._is_closed = True
        try:
            if self._write(frame(last)):
                self._drained = asyncio.Event()
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._drained.wait()
        except TimeoutError:
            logger.debug("A connection did not read its last frames")
        try:
            await self._send({"type": "websocket.close", "code": int(code)})
        except Exception as error:  # noqa: BLE001 - an edge: servers raise what they like for a connection that is gone
            logger.debug("A connection was gone before its close: %r", error)

    def listen(self, take: Callable[[bytes], bool]) -> None:
        self._extension.on_text = take

    def discard(self) -> None:
        self._is_closed = True
        self._extension.on_drained = self._extension.on_text = None

    def _become_free(self) -> None:
        if self._drained is not None:
            self._drained.set()
        elif not self._is_closed:
            self.on_free()


class AsgiTransport:
    """Writes by ASGI sends.

    One that ends at once, which is the rule, costs no task. One that suspends, since the server's buffer is full, goes on in a task of
    its own.
    """

    def __init__(self, send: Send) -> None:
        self.on_free: Callable[[], None] = _do_nothing
        self.push: Callable[[bytes], object] | None = None
        self._send = send
        self._waiting: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def write(self, delivery: Delivery) -> object:
        if self._is_closed:
            return None
        if self._task is None:
            for index, text in enumerate(delivery.texts):
                if not self._step(self._make_event(text)):
                    self._waiting.extend(delivery.texts[index + 1 :])
                    break
        else:
            self._waiting.extend(delivery.texts)
        return self._task

    async def close(self, code: int, *, last: str) -> None:
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if self._task is not None:
                    # What is on its way stays there: whoever reads on has to find whole frames.
                    await asyncio.shield(self._task)
                await self._send(self._make_event(last))
                await self._close(code)
        except Exception as error:  # noqa: BLE001 - an edge: servers raise what they like for a connection that is gone; a reader that stalls is a TimeoutError
            self._give_up(error)

    def listen(self, take: Callable[[bytes], bool]) -> None:
        """Leave it to the queue."""

    def discard(self) -> None:
        self._is_closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def _make_event(self, text: str) -> dict[str, Any]:
        return {"type": "websocket.send", "text": text}

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": int(code)})

    def _step(self, event: dict[str, Any]) -> bool:
        # The coroutine is stepped by hand: a task per frame and connection would double the cost of a broadcast.
        steps = self._send(event).__await__()
        try:
            waits_for = next(steps)
        except StopIteration:
            return True
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self._give_up(error)
            return True
        self._task = asyncio.get_running_loop().create_task(
            self._drain(_Rest(steps, waits_for))
        )
        return False

    async def _drain(self, rest: _Rest) -> None:
        try:
            await rest
            while self._waiting:
                await self._send(self._make_event(self._waiting.popleft()))
        except Exception as error:  # noqa: BLE001 - an edge: as above
            self._give_up(error)
        finally:
            self._task = None
        if not self._is_closed:
            self.on_free()

    def _give_up(self, error: Exception) -> None:
        self._is_closed = True
        self._waiting.clear()
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
