"""Reads what stands under the attributes of a class, which Python itself throws away."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise


@cache
def get_attribute_docs(cls: type) -> dict[str, str]:
    """Return the docstring under each attribute of a class and its bases, by name; nothing where there is no source."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found.update(_read(base))
    return found


def _read(cls: type) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for statement, following in pairwise(body):
        if (
            isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
            and (name := _get_target(statement))
        ):
            found[name] = one_line(following.value.value)
    return found


def _get_target(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign):
        target: ast.expr = statement.target
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def one_line(text: str | None) -> str:
    """Return a docstring as one line, its paragraphs behind one another."""
    return " ".join((text or "").split())


def escape_comment(text: str) -> str:
    """Return a text that ends no JavaScript comment."""
    return text.replace("*/", "*\\/")
