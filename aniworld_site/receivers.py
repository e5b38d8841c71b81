"""Signal in, message out, nothing else."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from aniworld_site.messages import TaskUpdated
from aniworld_site.rooms import SystemRoom
from aniworld_site.signals import task_began, task_ended
from realtime.publishing import publish


@receiver(task_began)
def tell_task_began(task: str, **_kwargs: Any) -> None:
    publish(SystemRoom(), TaskUpdated(task=task, status="running"))


@receiver(task_ended)
def tell_task_ended(task: str, error: str, **_kwargs: Any) -> None:
    status = "failed" if error else "done"
    publish(SystemRoom(), TaskUpdated(task=task, status=status))
