"""Comparing motifs with a database: Tomtom's E-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TomtomResult:
    """The best alignment of each query with each target.

    Attributes
    ----------
    evalues : (Q, T) float64
        p x T: targets expected to match this well by chance.
    offsets : (Q, T) int32
        Column of the target (of its reverse complement where the strand is "-") under the query's
        first column; negative when the query begins before the target.
    overlaps : (Q, T) int32
        Columns that face each other.
    strands : (Q, T) str
        "+", or "-" when the query matches the target's reverse complement. Where both strands score
        the same, as for a palindrome, it is "-".
    """

    evalues: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int32]
    overlaps: npt.NDArray[np.int32]
    strands: npt.NDArray[np.str_]


def compare(
    queries: Sequence[npt.NDArray[np.floating]], targets: Sequence[npt.NDArray[np.floating]]
) -> TomtomResult:
    """Compare every query with every target on both strands.

    Parameters
    ----------
    queries, targets : sequences of (w, 4) float
        PPMs, columns of A C G T; widths may differ.

    Returns
    -------
    TomtomResult

    Raises
    ------
    ValueError
        If there is no target, or a matrix is not (w, 4).

    Warns
    -----
    UserWarning
        By memelite with fewer than 25 targets: the targets' columns are the background that the
        p-values are from, so a small database gives rough ones.

    Notes
    -----
    Gupta et al., Genome Biol. 8, R24 (2007); Euclidean distance and complete scores, with the
    implementation of Schreiber, memelite. `n_target_bins` is None because its default merges
    similar target columns, which changes the p-values. One thread: 32 queries take well under a
    second. A p-value belongs to the better of the two strands, 1 - (1 - p)**2. The first call on a
    machine compiles for about a minute; memelite keeps the result.
    """
    # Compiled code is only loaded when something is compared.
    from memelite import tomtom

    if not len(targets):
        raise ValueError("no target to compare with; the motif database is empty")
    if not len(queries):
        empty = np.empty((0, len(targets)))
        whole = empty.astype(np.int32)
        return TomtomResult(empty, whole, whole, empty.astype("U1"))
    pvalues, _, offsets, overlaps, strands = tomtom(
        _letters_first(queries, "query"),
        _letters_first(targets, "target"),
        n_target_bins=None,
        n_jobs=1,
    )
    return TomtomResult(
        evalues=pvalues * len(targets),
        offsets=offsets.astype(np.int32),
        overlaps=overlaps.astype(np.int32),
        strands=np.where(strands == 1, "-", "+"),
    )


def _letters_first(
    motifs: Sequence[npt.NDArray[np.floating]], kind: str
) -> list[npt.NDArray[np.float64]]:
    for index, ppm in enumerate(motifs):
        if ppm.ndim != 2 or ppm.shape[1] != 4 or not len(ppm):
            raise ValueError(f"{kind} {index} has shape {ppm.shape}; it must be (w, 4)")
    return [np.ascontiguousarray(ppm.T, dtype=np.float64) for ppm in motifs]
