"""What the domain announces. Receivers turn it into messages; whoever sends knows of no browser."""

from __future__ import annotations

from django.dispatch import Signal

# A scan is waiting for a worker, or began. Arguments: scan (Scan).
scan_requested = Signal()
scan_started = Signal()
# A folder was read. Arguments: scan (Scan, with current, total, percent and folder), key (of the series, or None).
scan_progressed = Signal()
# A scan ended, in whatever way. Arguments: scan (Scan, with state, counts and error).
scan_finished = Signal()
# Rows of a series (itself, its episodes, its files) changed otherwise than by save(). Arguments: series_ids (set of int).
series_changed = Signal()
# Files joined or left the unmatched list, or a root's state changed, otherwise than by save(). Arguments: root (RootFolder).
root_changed = Signal()
# A file operation was planned, or came to an end. Arguments: operation (FileOperation).
operation_changed = Signal()
