"""Text of strangers, made safe to show: nothing in it hides, colours or moves what is around."""

from __future__ import annotations

import re
import unicodedata

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HIDDEN = {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}
_MARKS = {"Mn", "Me"}
# what most text is made of, and what nothing need be looked up for: none of it hidden or stacked
_PLAIN = re.compile("[\n\t -~\xa1-\xac\xae-\u02ff\u2013-\u2026\u2190-\u21ff\u2212]*")


def clean(value: str) -> str:
    r"""Make what is invisible visible, so that no name can reorder or hide the text around it.

    Control characters, direction marks, zero-width characters, lone surrogates, noncharacters and
    what Unicode has not assigned are written as ``\u202e``; of stacked combining marks the first
    three stay. Newlines and tabs stay.

    Parameters
    ----------
    value : str
        Any text, of any length.

    Returns
    -------
    str
        Text that encodes as UTF-8 and that XML 1.0 allows. It is not escaped for HTML: the
        templates do that.
    """
    if _PLAIN.fullmatch(value):
        return value
    out: list[str] = []
    marks = 0
    for char in value:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if category in _HIDDEN and char not in "\n\t":
            out.append(f"\\u{ord(char):04x}")
        elif marks <= 3:
            out.append(char)
    return "".join(out)


def clean_text(text: str, limit: int, *, lines: bool = False) -> str:
    """Text for a terminal or a file, of bounded length: one line, or with the lines that it has.

    Colours and ASCII control characters, which logs are full of, are dropped; the rest is `clean`.
    """
    text = _COLOURS.sub("", text)
    kept = clean(_CONTROLS.sub("", text) if lines else _CONTROLS.sub("", " ".join(text.split())))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def quoted(value: object, limit: int = 60) -> str:
    """A stranger's value as a short literal in ASCII, for a message that names it."""
    return ascii(value)[:limit]
