"""What one client may make a server hold."""

from __future__ import annotations

MAX_BUFFERED_BYTES = 1024 * 1024
"""Written and not read; a client that leaves more is cut off."""
MAX_WAITING_MESSAGES = 64
"""Sent and not taken by the application; then the socket is no longer read."""
MAX_FRAGMENTS = 1024
"""Of one message: fragments may be empty, and so no limit of bytes ends them."""
READ_BYTES = 16 * 1024
"""Parsed at a time: what a read brings is all in memory before the next look at the other bounds."""
HEADER_TIMEOUT_S = 10
"""From a request's first byte, or the connection's start, to the end of its header."""
