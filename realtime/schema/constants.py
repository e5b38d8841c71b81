"""Writes wire.js: the words and numbers of the protocol for the browser's modules."""

from __future__ import annotations

import json

from realtime.schema.docstrings import escape_comment
from realtime.schema.entries import CodeEntry, Protocol


def write_constants(protocol: Protocol) -> str:
    """Return wire.js: codes, types, actions and numbers as frozen constants."""
    final = [
        f"CloseCode.{code.name}" for code in protocol.close_codes if not code.comes_back
    ]
    heartbeat_s, pong_s = (
        next(limit.value for limit in protocol.limits if limit.name == name)
        for name in ("heartbeat_s", "pong_timeout_s")
    )
    parts = [
        "/** Words and numbers of the wire. Written by `manage.py asyncapi`; do not edit. */",
        _freeze("CloseCode", _list(protocol.close_codes), "Why a connection ended."),
        f"/** After these a client does not come back by itself. */\nexport const FINAL_CODES = Object.freeze([{', '.join(final)}]);",
        _freeze(
            "ErrorCode",
            _list(protocol.error_codes),
            "Why a client frame was refused: `data.code` of an `error`.",
        ),
        _freeze(
            "MessageType",
            [
                (entry.cls.type.upper(), entry.cls.type, "")
                for entry in protocol.messages
            ],
            "What the server sends.",
        ),
        _freeze(
            "Action",
            [(action.name.upper(), action.name, "") for action in protocol.actions],
            "What a client sends.",
        ),
        _number("PROTOCOL", protocol.version, "What `hello` names."),
        _number(
            "HEARTBEAT_MS",
            heartbeat_s * 1000,
            "Between two pings of the server; `connected` says what is in force.",
        ),
        _number(
            "SILENCE_MS",
            (heartbeat_s + pong_s) * 1000,
            "Nothing heard for so long means that the other end is gone.",
        ),
        *(
            _number(limit.name.upper(), limit.value, limit.text)
            for limit in protocol.limits
            if not limit.is_setting
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _list(codes: tuple[CodeEntry, ...]) -> list[tuple[str, int | str, str]]:
    return [(code.name, code.value, code.text) for code in codes]


def _freeze(name: str, values: list[tuple[str, int | str, str]], text: str) -> str:
    lines = [f"/** {text} */", f"export const {name} = Object.freeze({{"]
    for key, value, comment in values:
        if comment:
            lines.append(f"  /** {escape_comment(comment)} */")
        lines.append(f"  {key}: {json.dumps(value)},")
    return "\n".join([*lines, "});"])


def _number(name: str, value: float, text: str) -> str:
    return f"/** {text} */\nexport const {name} = {value:_.0f};"
