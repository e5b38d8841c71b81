"""What is left out of the log."""

from __future__ import annotations

from logging import LogRecord


def drop_refusals_traceback(record: LogRecord) -> bool:
    """Have a refused request be one line: that somebody may not do something is no fault, and its traceback tells nobody anything."""
    if getattr(record, "status_code", None) == 403:
        record.exc_info = None
    return True
