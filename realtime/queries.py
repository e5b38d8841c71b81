"""Asking the database from a coroutine."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

Params = ParamSpec("Params")
Answer = TypeVar("Answer")


async def run_query(
    work: Callable[Params, Answer], *args: Params.args, **kwargs: Params.kwargs
) -> Answer:
    """Run work that queries in a thread that nobody else waits for, and leave no database connection in it.

    Channels' `database_sync_to_async` would do, but its communicator for tests keeps it from closing any.
    """

    def run() -> Answer:
        close_old_connections()
        try:
            return work(*args, **kwargs)
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=False)()
