"""The generated files, by name."""

from __future__ import annotations

import json

from realtime.schema.constants import write_constants
from realtime.schema.documents import build_asyncapi, build_json_schema
from realtime.schema.entries import Protocol, Schema
from realtime.schema.reference import write_reference
from realtime.schema.typescript import write_types

BROWSER_FILES = ("messages.d.ts", "wire.js")


def write_files(protocol: Protocol) -> dict[str, str]:
    """Return the text of each file; the same protocol always gives the same."""
    return {
        "asyncapi.json": _dump(build_asyncapi(protocol)),
        "messages.schema.json": _dump(build_json_schema(protocol)),
        "protocol-reference.md": write_reference(protocol),
        "messages.d.ts": write_types(protocol),
        "wire.js": write_constants(protocol),
    }


def _dump(document: Schema) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
