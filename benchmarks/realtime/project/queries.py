"""Synchronous work in the database, as long as is asked for."""

from __future__ import annotations

from time import monotonic

from django.db import connection

ROWS = 50_000
"""Counted at a time: some milliseconds."""


def work(milliseconds: int) -> None:
    """Keep the calling thread and the database busy for so long."""
    end = monotonic() + milliseconds / 1000
    with connection.cursor() as cursor:
        while monotonic() < end:
            cursor.execute(
                "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < %s) SELECT count(*) FROM up",
                [ROWS],
            )
            cursor.fetchone()
