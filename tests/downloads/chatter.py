"""A child that does not speak as it should: run as a program by tests."""

from __future__ import annotations

import sys

sys.stdin.readline()
sys.stdout.write("no JSON\n[1]\n" + "x" * 100_000 + "\n")
