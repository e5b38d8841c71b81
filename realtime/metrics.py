"""What the realtime layer counts of itself, for Prometheus; of this process only."""

from __future__ import annotations

from threading import Lock

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("realtime_connections", "Open connections", ["transport"])
ROOMS = Gauge("realtime_rooms", "Rooms with a member in this process")
PUBLISHED = Counter("realtime_published", "Messages that the broker took")
DELIVERED = Counter(
    "realtime_delivered", "Messages written to or kept for a connection"
)
MERGED = Counter("realtime_merged", "States that a newer one replaced on the way")
DROPPED = Counter("realtime_dropped", "Messages that were given up", ["where"])
REFILLED = Counter("realtime_refilled", "Messages fetched from history after a gap")
RESYNCED = Counter("realtime_resynced", "Rooms that were begun anew with a snapshot")
REFUSED = Counter("realtime_refused_frames", "Client frames refused", ["code"])
CLOSED = Counter("realtime_closed", "Connections that the server closed", ["code"])
OUTBOX_BYTES = Gauge("realtime_outbox_bytes", "Bytes that wait for slow connections")

_LATENCIES_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
PUBLISH_S = Histogram(
    "realtime_publish_seconds",
    "From taking a message to the broker's answer",
    buckets=_LATENCIES_S,
)
DELIVERY_S = Histogram(
    "realtime_delivery_seconds",
    "From the broker's stamp to the write, by the clocks of both",
    buckets=_LATENCIES_S,
)


class Tally:
    """What is counted so often that a counter's lock would be felt; event loops add, and whoever reads the counters collects first."""

    __slots__ = ("_collected", "_lock", "delivered", "merged")

    def __init__(self) -> None:
        self.delivered = self.merged = 0
        self._collected = (0, 0)
        self._lock = Lock()

    def collect(self) -> None:
        """Bring the counters up to date."""
        with self._lock:
            delivered, merged = self.delivered, self.merged
            DELIVERED.inc(delivered - self._collected[0])
            MERGED.inc(merged - self._collected[1])
            self._collected = (delivered, merged)


TALLY = Tally()
