"""What the site announces. Receivers turn it into messages."""

from __future__ import annotations

from django.dispatch import Signal

# A task that comes round again began. Arguments: task (its name in the timetable).
task_began = Signal()
# It ended. Arguments: task (its name in the timetable), error (a sentence, or "").
task_ended = Signal()
