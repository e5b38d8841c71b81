"""What a server does first when it is told to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

OnShutdown = Callable[[], Awaitable[None]]

DRAIN_S = 6.0
"""For the clients to be sent away, and for what is under way to end."""


async def run_on_shutdown(on_shutdown: OnShutdown, *, timeout_s: float) -> None:
    """Await it, but no longer than `timeout_s`; a fault in it does not keep the server from ending."""
    try:
        async with asyncio.timeout(timeout_s):
            await on_shutdown()
    except TimeoutError:
        logger.warning("Not all connections could be sent away in %g s", timeout_s)
    except Exception:
        logger.exception("The connections could not be sent away")
