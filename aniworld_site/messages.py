"""What the site tells browsers of itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from realtime.messages import Message


class TaskUpdated(
    Message, type="task_updated", delivery="state", entity="task:{task}", kept=False
):
    """A task of the schedule began or ended."""

    task: Annotated[
        str, Field(min_length=1, max_length=64, examples=["refresh-sources"])
    ]
    """refresh-sources, scan-roots, settle-files or sweep-scans; the last only when it found something or a person asked for it."""
    status: Annotated[str, Field(pattern="^(running|done|failed)$")]
