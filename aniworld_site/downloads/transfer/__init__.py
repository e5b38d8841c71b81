"""Fetching one file, in a process of its own: it can be stopped within a second, and what breaks in it breaks nothing else.

Loads neither Django nor a database: a child that starts in a tenth of a second is one that can be thrown away.
"""
