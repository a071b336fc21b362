"""Patterns: whether motifs discovered in the maps (by TF-MoDISco) are the true ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.motifs.hits import INFORMATIVE_BITS, FilterRow, MotifDatabase
from motifidelity.metrics.motifs.ppm import information_content

_SOURCE = (
    "our definition, on patterns of TF-MoDISco (Shrikumar et al., arXiv:1811.00416); Tomtom, "
    "E <= 0.1"
)

METRICS: tuple[Metric, ...] = (
    Metric(
        "pattern_recall",
        "attribution",
        "corrected",
        "higher",
        0.0,
        1.0,
        None,
        1,
        _SOURCE,
        "Share of the true motifs that are some discovered pattern's best true match.",
    ),
    Metric(
        "pattern_precision",
        "attribution",
        "corrected",
        "higher",
        0.0,
        1.0,
        None,
        1,
        _SOURCE,
        "Share of the discovered patterns that match a true motif.",
    ),
)


@dataclass(frozen=True)
class PatternScores:
    """The scores, and what each pattern matched (`FilterRow.filter` counts patterns)."""

    scores: list[Score]
    patterns: list[FilterRow]


def score_patterns(
    method: str,
    patterns: Sequence[npt.NDArray[np.floating]],
    num_sites: npt.ArrayLike,
    database: MotifDatabase,
    accepted: Mapping[str, Sequence[str]],
) -> PatternScores:
    """Compare the patterns that were discovered in one method's maps with a database.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    patterns : sequence of P (w, 4) float
        PPMs, columns of A C G T. P may be 0.
    num_sites : (P,) int
        Seqlets of each.
    database : MotifDatabase
    accepted : mapping of TF name to matrix ids

    Returns
    -------
    PatternScores
        ``pattern_recall`` (n = true factors) and ``pattern_precision`` (n = patterns; nan when
        there are none).

    Notes
    -----
    Patterns are trimmed, compared and judged like filters: columns above 0.5 bit with three on
    either side, E <= 0.1 over the whole database, a pattern without such a column matches nothing.
    A pattern counts for its best true factor only.
    """
    columns = database.columns(accepted)
    ppms = [np.asarray(ppm, np.float64) for ppm in patterns]
    flat = np.array([information_content(p).max() <= INFORMATIVE_BITS for p in ppms], bool)
    rows = database.match("corrected", ppms, np.asarray(num_sites), flat, columns)
    matched = [row.true_tf for row in rows if row.true_tf is not None]
    precision = len(matched) / len(rows) if rows else float("nan")
    return PatternScores(
        [
            Score("pattern_recall", len(set(matched)) / len(accepted), None, len(accepted), method),
            Score("pattern_precision", precision, None, len(rows), method),
        ],
        rows,
    )
