"""What the domain announces. Receivers turn it into messages; whoever sends knows of no browser."""

from __future__ import annotations

from django.dispatch import Signal

# Downloads joined the queue. Arguments: downloads (list of Download).
downloads_added = Signal()
# A download is in another state, or another number of bytes is known of one that does not run. Arguments: download (Download), was (its state before, which may be the same).
download_changed = Signal()
# Bytes came. Arguments: download (Download, with bytes_done and size_bytes), bytes_per_s (float), eta_s (int or None).
download_progressed = Signal()
# Downloads left the list. Arguments: downloads (list of Download, which are no rows any more).
downloads_removed = Signal()
# So many changed or left the list that none of them is named. No arguments.
many_changed = Signal()
# Many moved at once, or the order changed. No arguments.
queue_reordered = Signal()
# A worker begins. One before it may have been killed before it could tell what it did. No arguments.
worker_began = Signal()
# Somebody started, stopped, paused or resumed the queue. Arguments: queue (Queue), did ("started", …), by (name).
queue_changed = Signal()
# Somebody begins to read a source, or has read it. Arguments: source (Source, with refreshing_since and error).
source_changed = Signal()
