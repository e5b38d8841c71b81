"""A text column for file names, which on Linux are bytes and need not be valid text."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups

# Python shows an undecodable byte 0xNN as the lone surrogate U+DCNN (PEP 383), which neither database can store.
# Each becomes one private-use character, which real names do not hold, and comes back unchanged.
FIRST_SURROGATE, LAST_SURROGATE, FIRST_STORED = 0xDC80, 0xDCFF, 0x10FF00
TO_STORED = {
    code: FIRST_STORED + code - FIRST_SURROGATE
    for code in range(FIRST_SURROGATE, LAST_SURROGATE + 1)
}
FROM_STORED = {stored: code for code, stored in TO_STORED.items()}
FIRST_STORED_TEXT = chr(FIRST_STORED)


def to_stored(path: str) -> str:
    """Return `path`, as `os.fsdecode` gives it, in the form that the database keeps."""
    return path if path.isascii() else path.translate(TO_STORED)


def from_stored(text: str) -> str:
    """Return the path that `to_stored` was given."""
    return (
        text
        if text.isascii() or max(text) < FIRST_STORED_TEXT
        else text.translate(FROM_STORED)
    )


class PathField(models.TextField):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Holds a path or name exactly, undecodable bytes included."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return to_stored(prepared) if isinstance(prepared, str) else prepared

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        return None if value is None else from_stored(value)


@PathField.register_lookup
class PathStartsWith(lookups.StartsWith):
    """Compares with the stored form; lookups by pattern do not ask the field for it by themselves."""

    prepare_rhs = True


@PathField.register_lookup
class PathIContains(lookups.IContains):
    """As `PathStartsWith`."""

    prepare_rhs = True
