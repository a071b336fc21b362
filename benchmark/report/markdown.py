"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def head(headings: Sequence[str]) -> list[str]:
    """The two lines that begin a table."""
    return [line(headings), "|" + "---|" * len(headings)]


def line(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
