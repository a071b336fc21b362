"""What each filter's motif matches in a motif database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.ppm import information_content, trim
from motifidelity.metrics.motifs.tomtom import TomtomResult, compare

MAX_EVALUE = 0.1
INFORMATIVE_BITS = 0.5
ATTRACTOR = "MA0615.1"
"""JASPAR's Gmeb1: its wide, nearly uniform flanks match nearly uniform queries with E << 0.1."""


@dataclass(frozen=True)
class FilterRow:
    """What one filter holds, by one definition.

    Attributes
    ----------
    filter : int
        From 0.
    definition : {"paper", "corrected"}
    num_sites : int
        Aligned windows.
    ppm : (w, 4) float32
        Trimmed; uniform when there are too few sites.
    information : float
        Bits, summed over the columns of `ppm`.
    best_hit, best_hit_name : str or None
        Database matrix with the lowest E-value, if that is at most 0.1 and not a lone hit on
        `ATTRACTOR`, which says nothing.
    evalue : float or None
        That lowest E-value, also when above 0.1; None for a flat filter, which is not compared.
    strand : {"+", "-"} or None
    offset, overlap : int or None
        Alignment with `best_hit`, as in `tomtom.TomtomResult`.
    true_tf : str or None
        The true transcription factor with the lowest E-value, if that is at most 0.1.
    true_evalue : float or None
        The lowest E-value over all accepted matrices, also when above 0.1.
    """

    filter: int
    definition: Literal["paper", "corrected"]
    num_sites: int
    ppm: npt.NDArray[np.float32]
    information: float
    best_hit: str | None = None
    best_hit_name: str | None = None
    evalue: float | None = None
    strand: str | None = None
    offset: int | None = None
    overlap: int | None = None
    true_tf: str | None = None
    true_evalue: float | None = None


@dataclass(frozen=True)
class MotifDatabase:
    """The T motifs that every filter is compared with: ids, names and (w, 4) PPMs."""

    ids: list[str]
    names: list[str]
    ppms: Sequence[npt.NDArray[np.floating]]

    def columns(self, accepted: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
        """Where each TF's accepted matrices are in the database.

        Raises
        ------
        ValueError
            If there is no TF, or one has no matrix in the database.
        """
        place = {matrix: index for index, matrix in enumerate(self.ids)}
        if not accepted:
            raise ValueError("no true TF given; accepted must name at least one")
        found = {tf: [place[m] for m in ids if m in place] for tf, ids in accepted.items()}
        for tf, here in found.items():
            if not here:
                raise ValueError(f"none of {tf}'s matrices {list(accepted[tf])} is in the database")
        return found

    def match(
        self,
        definition: Literal["paper", "corrected"],
        ppms: Sequence[npt.NDArray[np.float64]] | npt.NDArray[np.float64],
        num_sites: npt.NDArray[np.integer],
        flat: npt.NDArray[np.bool_],
        true_columns: Mapping[str, Sequence[int]],
    ) -> list[FilterRow]:
        """Trim each filter's motif, compare it with the database, and report what it matched.

        Parameters
        ----------
        definition : {"paper", "corrected"}
        ppms : (F, window, 4) float64, or a sequence of F (w, 4)
        num_sites : (F,) int
        flat : (F,) bool
            Filters that are not compared.
        true_columns : mapping of TF name to places in the database
            From `columns`.

        Returns
        -------
        list of F FilterRow
        """
        trimmed = [trim(ppm, INFORMATIVE_BITS) for ppm in ppms]
        rows = [
            FilterRow(
                filter=index,
                definition=definition,
                num_sites=int(num_sites[index]),
                ppm=ppm.astype(np.float32),
                information=float(information_content(ppm).sum()),
            )
            for index, ppm in enumerate(trimmed)
        ]
        compared = np.flatnonzero(~flat)
        result = compare([trimmed[index] for index in compared], self.ppms)
        for query, index in enumerate(compared):
            rows[index] = self._with_hits(rows[index], result, query, true_columns)
        return rows

    def _with_hits(
        self,
        row: FilterRow,
        result: TomtomResult,
        query: int,
        true_columns: Mapping[str, Sequence[int]],
    ) -> FilterRow:
        evalues = result.evalues[query]
        best = int(evalues.argmin())
        by_tf = {tf: float(evalues[list(places)].min()) for tf, places in true_columns.items()}
        tf = min(by_tf, key=by_tf.__getitem__)
        row = replace(row, evalue=float(evalues[best]), true_evalue=by_tf[tf])
        if by_tf[tf] <= MAX_EVALUE:
            row = replace(row, true_tf=tf)
        lone_attractor = (
            self.ids[best] == ATTRACTOR
            and row.true_tf is None
            and np.count_nonzero(evalues <= MAX_EVALUE) == 1
        )
        if evalues[best] > MAX_EVALUE or lone_attractor:
            return row
        return replace(
            row,
            best_hit=self.ids[best],
            best_hit_name=self.names[best],
            strand=str(result.strands[query, best]),
            offset=int(result.offsets[query, best]),
            overlap=int(result.overlaps[query, best]),
        )
