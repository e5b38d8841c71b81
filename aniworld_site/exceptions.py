"""What a person asked for cannot be done."""

from __future__ import annotations


class DomainError(Exception):
    """The request is understood and refused; the text is a sentence for the person who asked."""
