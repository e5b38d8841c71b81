"""From a naming template to a place below a root folder. Pure: whatever a source calls things, the place stays inside."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_TEMPLATE = "{series} ({year})/Season {season:02}/{series} - S{season:02}E{episode:02} - {title}"
NUMBERS = frozenset({"season", "episode", "absolute", "year"})
FIELDS = frozenset({"series", "title", "key"}) | NUMBERS
LONGEST_BYTES = 240
"""Of a file or folder name, so that an ending and a number still fit into the 255 of file systems."""
LONGEST_TEMPLATE = 300

_WIDTH = re.compile(r"0?[1-9]?")
_SPACES = re.compile(r"\s+")
_RESERVED = re.compile(
    r"(?i)(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?=\.|$)"
)
# Control characters, unassigned ones, and those that turn the direction of what follows.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INSTEAD = {"/": "-", "\\": "-", "|": "-", ":": " -", '"': "'", "<": "", ">": ""}
_EMPTY = re.compile(r"[(\[{]\s*[)\]}]")
_MARK = "\ue000"
"""Stands for an empty field until what joins it to the others is taken away, too."""


class TemplateError(ValueError):
    """A template that names no place; the text is a sentence."""


@dataclass(frozen=True, kw_only=True)
class EpisodeNames:
    """What a template may name."""

    series: str
    key: str
    season: int
    episode: int
    title: str = ""
    year: int | None = None
    absolute: int | None = None


def check_template(template: str) -> None:
    """Refuse a template that cannot be filled in.

    Raises:
        TemplateError: It names unknown fields, is no relative path, or does not tell two episodes apart.
    """
    if not template.strip() or len(template) > LONGEST_TEMPLATE:
        raise TemplateError(
            f"Expected a template of 1 to {LONGEST_TEMPLATE} characters."
        )
    if not _list_fields(template) & {"episode", "absolute"}:
        raise TemplateError(
            "Expected {episode} or {absolute} in the template: else all files of a season would get one name."
        )
    parts = template.split("/")
    if "\\" in template or any(part.strip() in ("", ".", "..") for part in parts):
        raise TemplateError(
            "Expected a path below the root folder, like {series}/Season {season:02}/{series} - {episode:02}."
        )


def tells_seasons_apart(template: str) -> bool:
    """Tell whether a template gives the first episodes of two seasons different names. Raises as `check_template`."""
    return bool(_list_fields(template) & {"season", "absolute"})


def _list_fields(template: str) -> set[str]:
    return {name for part in template.split("/") for name in _read_fields(part)}


def render(template: str, names: EpisodeNames, extension: str) -> str:
    """Return the relative path of an episode's file, with `/`. `extension` has its dot.

    Raises:
        TemplateError: The template is none.
    """
    check_template(template)
    *folders, name = [_fill(part, names) for part in template.split("/")]
    file = f"{safe_component(name, longest=LONGEST_BYTES - len(extension))}{extension}"
    return "/".join([*(safe_component(folder) for folder in folders), file])


def safe_component(text: str, *, longest: int = LONGEST_BYTES) -> str:
    """Return a name for one file or folder that every file system takes and that leads nowhere else; "untitled" for nothing."""
    # A line break is a space between two words before it is a control character.
    text = _SPACES.sub(" ", text)
    text = "".join(_INSTEAD.get(letter, letter) for letter in text)
    text = "".join(
        letter
        for letter in text
        if letter not in "*?" and unicodedata.category(letter) not in _HIDDEN
    )
    # Last: what was taken away may have stood between a letter and its accent.
    text = _trim(_SPACES.sub(" ", unicodedata.normalize("NFC", text)))
    if reserved := _RESERVED.match(text):
        text = f"{reserved[0]}_{text[reserved.end() :]}"
    return _trim(_cut(text, longest)) or "untitled"


def _trim(text: str) -> str:
    # A name that begins with a hyphen is an option to many programs, one that begins with a dot is hidden.
    return text.lstrip(" .-").rstrip(" .")


def _cut(text: str, longest: int) -> str:
    return text.encode()[:longest].decode(errors="ignore")


def _read_fields(part: str) -> list[str]:
    try:
        found = list(string.Formatter().parse(part))
    except ValueError as error:
        raise TemplateError(f"The template cannot be read: {error}.") from error
    names = []
    for _text, name, width, conversion in found:
        if name is None:
            continue
        if name not in FIELDS or conversion:
            raise TemplateError(
                f"Expected one of {', '.join(sorted(FIELDS))} in braces, got {{{name}}}."
            )
        if width and (name not in NUMBERS or not _WIDTH.fullmatch(width)):
            raise TemplateError(
                f"Expected a width like {{episode:02}} for a number, got {{{name}:{width}}}."
            )
        names.append(name)
    return names


def _fill(part: str, names: EpisodeNames) -> str:
    values: Mapping[str, str | int | None] = {
        name: getattr(names, name) for name in FIELDS
    }
    text = ""
    for literal, name, width, _conversion in string.Formatter().parse(part):
        text += literal
        if name is None:
            continue
        value = values[name]
        if value is None or value == "":
            text += _MARK
        elif isinstance(value, int):
            text += format(value, f"{width}d") if width else str(value)
        else:
            text += value
    return _take_away_empty(text)


def _take_away_empty(text: str) -> str:
    """Take empty fields away with their brackets, and with what would have joined them to a neighbour."""
    if _MARK not in text:
        return text
    text = re.sub(rf"\s*[(\[{{]\s*{_MARK}\s*[)\]}}]", "", text)
    text = re.sub(rf"\s+-\s+{_MARK}", "", text)
    text = re.sub(rf"{_MARK}\s+-\s+", "", text)
    return _EMPTY.sub("", text.replace(_MARK, ""))
