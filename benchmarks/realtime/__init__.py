"""Compares the realtime layer with what else could be used for live pages, on one machine and in one run."""
