"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from statistics import fmean, stdev

NOTHING = "–"


def head(headings: Sequence[str]) -> list[str]:
    """The two lines that begin a table."""
    return [line(headings), "|" + "---|" * len(headings)]


def line(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def number(value: float | None, digits: int = 3) -> str:
    """A number in a cell."""
    return NOTHING if value is None or not isfinite(value) else f"{value:.{digits}f}"


def mean_of(values: Iterable[float], digits: int = 3) -> str:
    """Mean and sample SD of what is known."""
    known = [float(value) for value in values if value == value]
    if not known:
        return NOTHING
    spread = f" ± {stdev(known):.{digits}f}" if len(known) > 1 else ""
    return f"{fmean(known):.{digits}f}{spread}"


def both_ends(values: Iterable[float]) -> str:
    """The lowest and the highest of what is known."""
    known = sorted(value for value in values if isfinite(value))
    return f"{known[0]:.3f} to {known[-1]:.3f}" if known else NOTHING
