"""Text of strangers, made safe to show: bounded, printable, without colours."""

from __future__ import annotations

import re

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def clean_text(text: str, limit: int, *, lines: bool = False) -> str:
    """Printable text of bounded length: colours and control characters are dropped."""
    text = _COLOURS.sub("", text)
    kept = "".join(c for c in text if c.isprintable() or (lines and c in "\n\t"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


NAME_LIMIT = 60


def clean_name(name: str) -> str:
    """A stranger's file name as safe, short text."""
    return ascii(name[:NAME_LIMIT])
