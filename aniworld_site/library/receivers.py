"""Signal in, message out, nothing else."""

from __future__ import annotations
