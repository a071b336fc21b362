"""The sites of a sequence as boxes whose labels never lie on each other: geometry alone.

Implanted sites stand in one row, their labels above them; sites that arose by chance hang below, in
as many rows as their labels need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from motifidelity.leaderboard.text import shorten

if TYPE_CHECKING:
    from motifidelity.scoring.evidence import Example, Site

_ROW = 13.0
_HIGH, _LOW = 14.0, 8.0
_BESIDE = 3.0
# of an average letter, at the sizes that the style gives the two kinds of label
_LETTER, _SMALL_LETTER = 6.6, 6.0
# chance sites beyond so many rows lose their labels, not their titles
_MOST_ROWS = 6
_EDGE = 8.0
_WHY = {"implant": "implanted", "other": "implanted, of the background", "chance": "by chance"}


@dataclass(frozen=True)
class Box:
    """A site: where, how it is called, and whether it was implanted and should be known.

    Attributes
    ----------
    x, y, width, height : str
        The box.
    label_x, label_y, anchor : str
        Place of the label, as SVG has it.
    name : str
        Label; "" where there is no room for it.
    title : str
        The site in words.
    kind : {"implant", "other", "chance"}
    """

    x: str
    y: str
    width: str
    height: str
    label_x: str
    label_y: str
    anchor: str
    name: str
    title: str
    kind: str


@dataclass(frozen=True)
class Boxes:
    """All sites of an example, `height` units high; `middle` is where the row's name stands."""

    boxes: tuple[Box, ...]
    height: float
    middle: float


def lay_sites(example: Example, width: float) -> Boxes:
    """Lay sites out over a sequence that is drawn `width` units wide.

    A chance site that lies on an implanted one says nothing new and is left out.
    """
    step = width / len(example.codes)
    planted = [site for site in example.sites if site.implanted]
    arisen = [
        site
        for site in example.sites
        if not site.implanted and all(_overlap(site, other) <= 0.5 for other in planted)
    ]
    above = [_centred(site, example, step, width) for site in planted]
    below = [_beside(site, example, step, width) for site in arisen]
    high_rows, low_rows = rows_of(above), rows_of([(left, right) for left, right, _, _ in below])
    top = 16 + _ROW * max(high_rows, default=0)
    boxes = []
    for site, (left, right), row in zip(planted, above, high_rows, strict=True):
        place = ((left + right) / 2, top - 5 - _ROW * row, "middle")
        boxes.append(_box(site, example, step, (top, _HIGH), place, named=True))
    for site, (_, _, label, anchor), row in zip(arisen, below, low_rows, strict=True):
        y = top + _HIGH + 4 + _ROW * min(row, _MOST_ROWS - 1)
        place = (label, y + _LOW, anchor)
        boxes.append(_box(site, example, step, (y, _LOW), place, named=row < _MOST_ROWS))
    deepest = min(max(low_rows, default=0), _MOST_ROWS - 1)
    return Boxes(tuple(boxes), top + _HIGH + 12 + _ROW * deepest, top + 10)


def rows_of(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Row of every span, the first in which it lies on none before it; from left to right."""
    ends: list[float] = []
    rows = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda index: spans[index]):
        left, right = spans[index]
        row = next((row for row, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [right]
        rows[index] = row
    return rows


def _box(
    site: Site,
    example: Example,
    step: float,
    across: tuple[float, float],
    label: tuple[float, float, str],
    *,
    named: bool,
) -> Box:
    left, right = _ends(site, example, step)
    kind = "chance" if not site.implanted else "implant" if site.core else "other"
    return Box(
        x=f"{left:.1f}",
        y=f"{across[0]:g}",
        width=f"{right - left:.1f}",
        height=f"{across[1]:g}",
        label_x=f"{label[0]:.1f}",
        label_y=f"{label[1]:g}",
        anchor=label[2],
        name=_name(site) if named else "",
        title=f"{shorten(site.name, 40)} {shorten(site.motif, 20)}, bases {site.start + 1}"
        f"–{site.end}, {_WHY[kind]}, {site.log_odds:.1f} bits",
        kind=kind,
    )


def _ends(site: Site, example: Example, step: float) -> tuple[float, float]:
    left = max(site.start - example.start, 0)
    right = min(site.end - example.start, len(example.codes))
    return left * step, right * step


def _name(site: Site) -> str:
    name = shorten(site.name, 16)
    return f"{name} ›" if site.strand == 1 else f"‹ {name}"


def _centred(site: Site, example: Example, step: float, width: float) -> tuple[float, float]:
    """What the label over an implanted site covers, kept inside the drawing."""
    left, right = _ends(site, example, step)
    half = len(_name(site)) * _LETTER / 2
    middle = min(max((left + right) / 2, half), width + _EDGE - half)
    return middle - half, middle + half


def _beside(
    site: Site, example: Example, step: float, width: float
) -> tuple[float, float, float, str]:
    """What a chance site and its label cover; the label's place and side, the right if it fits."""
    left, right = _ends(site, example, step)
    long = len(_name(site)) * _SMALL_LETTER + 2 * _BESIDE
    if right + long <= width + _EDGE:
        return left, right + long, right + _BESIDE, "start"
    return left - long, right, left - _BESIDE, "end"


def _overlap(one: Site, other: Site) -> float:
    """Bases in common, as a share of the first site."""
    return (min(one.end, other.end) - max(one.start, other.start)) / (one.end - one.start)
