"""A filter's motif above the database motif that it matches best, as Tomtom aligned them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from motifidelity.leaderboard.figures.logo import COLUMN, HEIGHT, Logo, draw_logo
from motifidelity.leaderboard.text import is_missing

if TYPE_CHECKING:
    from motifidelity.tasks.motifs import Motif

GAP = 12.0


@dataclass(frozen=True)
class Pair:
    """A drawing `width` by ``2 * HEIGHT + GAP`` units: the filter above, the match below.

    Attributes
    ----------
    width : str
        Units, as text for SVG.
    filter_x, match_x : str
        Left edge of each logo.
    shade_x, shade_width : str
        The columns that face each other.
    match, match_width : str
        Id of the match's drawing among `Motifs.drawn`, and its width.
    consensus : str
        The match read aloud, in the orientation that is drawn.
    reverse : bool
        The reverse complement of the database's matrix is drawn.
    """

    width: str
    filter_x: str
    match_x: str
    shade_x: str
    shade_width: str
    match: str
    match_width: str
    consensus: str
    reverse: bool


@dataclass
class Motifs:
    """Database motifs that a page draws, each once however many filters match it."""

    drawn: dict[str, Logo] = field(default_factory=dict)
    _ids: dict[tuple[str, bool], str] = field(default_factory=dict)

    def take(self, motif: Motif, *, reverse: bool) -> tuple[str, Logo] | None:
        """Id and drawing of a motif in one orientation; None where it cannot be drawn."""
        key = (motif.id, reverse)
        if key not in self._ids:
            ppm = np.asarray(motif.ppm.T)
            shown = ppm[::-1, ::-1] if reverse else ppm
            logo = _draw(shown.astype(np.float64).tobytes(), motif.width)
            if logo is None:
                return None
            self._ids[key] = f"m{len(self._ids)}"
            self.drawn[self._ids[key]] = logo
        name = self._ids[key]
        return name, self.drawn[name]


def align(row: Mapping[object, object], motifs: Mapping[str, Motif], drawn: Motifs) -> Pair | None:
    """Lay a filter out beside its best match.

    Parameters
    ----------
    row : mapping
        The filter's row in the registry: ``width``, ``best_hit``, ``offset`` (column of the match
        under the filter's first), ``overlap`` and ``strand``.
    motifs : mapping of str to Motif
        The database.
    drawn : Motifs
        Receives the match.

    Returns
    -------
    Pair or None
        None where the filter has no match, or one that the database does not hold, or an
        alignment in which nothing faces anything.
    """
    motif = motifs.get(str(row["best_hit"]))
    if motif is None or any(is_missing(row[name]) for name in ("offset", "strand", "width")):
        return None
    width, offset = int(str(row["width"])), int(float(str(row["offset"])))
    filter_x, match_x = max(offset, 0), max(-offset, 0)
    first = max(filter_x, match_x)
    last = min(filter_x + width, match_x + motif.width)
    reverse = row["strand"] == "-"
    found = drawn.take(motif, reverse=reverse)
    if found is None or last <= first:
        return None
    return Pair(
        width=_units(max(filter_x + width, match_x + motif.width)),
        filter_x=_units(filter_x),
        match_x=_units(match_x),
        shade_x=_units(first),
        shade_width=_units(last - first),
        match=found[0],
        match_width=_units(motif.width),
        consensus=found[1].consensus,
        reverse=reverse,
    )


@lru_cache(maxsize=4096)
def _draw(ppm: bytes, width: int) -> Logo | None:
    """`draw_logo` of a database motif, whose matrix stands on many pages."""
    return draw_logo(np.frombuffer(ppm), width)


def pair_height() -> str:
    """Height of a `Pair` in units."""
    return f"{2 * HEIGHT + GAP:g}"


def _units(columns: int) -> str:
    return f"{columns * COLUMN:g}"
