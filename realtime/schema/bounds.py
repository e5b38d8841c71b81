"""Says in words what a JSON Schema asks of a value."""

from __future__ import annotations

import re
from typing import Any

from realtime.schema.entries import Schema


def read_choices(pattern: str) -> list[str]:
    """Return the words of a pattern that is nothing but a choice between words."""
    match = re.fullmatch(r"\^\((\w+(?:\|\w+)*)\)\$", pattern)
    return match[1].split("|") if match else []


def write_bounds(schema: Schema) -> str:
    """Return what a value must keep to, with its unit, as words; nothing where it is free."""
    unit = str(schema.get("x-unit", ""))
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema = {**kinds[0], **schema}
    numbers = _write_range(schema.get("minimum"), schema.get("maximum"))
    words = [f"{numbers} {unit}".strip()]
    if length := _write_range(schema.get("minLength"), schema.get("maxLength")):
        words.append(f"{length} characters")
    if (pattern := schema.get("pattern", "")) and not read_choices(pattern):
        words.append(f"matches `{pattern}`")
    return ", ".join(filter(None, words))


def _write_range(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"{low} or more"
    return f"at most {high}" if high is not None else ""
