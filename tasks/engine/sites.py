"""Sites of motifs: their letters by strength, and decoys that look like sites and are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.draws import Draws

# what a site is, by number: its motif's, its letters in another order, a relative's, or broken
KINDS = ("true", "permuted", "look-alike", "mutated")
TRUE, PERMUTED, LOOK_ALIKE, MUTATED = range(len(KINDS))
BACKGROUND = 0.25


def tempered(ppm: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """A matrix (4, width) to the power 1 / temperature, normalised: below 1 it is sharper."""
    raised = ppm ** (1.0 / temperature)
    normal: NDArray[np.float64] = raised / raised.sum(axis=0, keepdims=True)
    return normal


@dataclass(frozen=True, eq=False)
class Letters:
    """Letters of sites, one after the other, each site as its matrix has it.

    Attributes
    ----------
    codes : ndarray (k,) uint8
    site : ndarray (k,) intp
        Which site a letter is of.
    offset : ndarray (k,) intp
        Its place within the site.
    """

    codes: NDArray[np.uint8]
    site: NDArray[np.intp]
    offset: NDArray[np.intp]


class SiteTable:
    """Every column of some matrices, to draw sites of all of them at once.

    Parameters
    ----------
    ppms : sequence of ndarray (4, width)
    """

    def __init__(self, ppms: Sequence[NDArray[np.float64]]) -> None:
        self.widths = np.array([ppm.shape[1] for ppm in ppms], np.intp)
        self.first = np.cumsum(self.widths) - self.widths
        self.columns = np.hstack(list(ppms)).T
        with np.errstate(divide="ignore"):
            self.log_odds = np.log2(self.columns / BACKGROUND)
        self.mutable = np.concatenate([most_informative(ppm) for ppm in ppms])

    def draw(
        self, draws: Draws, motif: NDArray[np.intp], temperature: NDArray[np.float64]
    ) -> Letters:
        """Draw the letters of sites.

        Parameters
        ----------
        draws : Draws
        motif : ndarray (s,) intp
            Matrix of each site.
        temperature : ndarray (s,) float
            Letters come from the matrix to the power 1 / temperature.
        """
        widths = self.widths[motif]
        site = np.repeat(np.arange(len(motif)), widths)
        offset = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
        columns = self.columns[self.first[motif[site]] + offset]
        cumulative = np.cumsum(columns ** (1.0 / temperature[site])[:, None], axis=1)
        reach = draws.uniform(len(site)) * cumulative[:, 3]
        codes = (reach[:, None] >= cumulative[:, :3]).sum(axis=1).astype(np.uint8)
        return Letters(codes, site, offset)

    def bits(self, motif: NDArray[np.intp], letters: Letters) -> NDArray[np.float64]:
        """Log-odds (s,) in bits of sites' letters by their own matrices."""
        column = self.first[motif[letters.site]] + letters.offset
        sums = np.bincount(
            letters.site, weights=self.log_odds[column, letters.codes], minlength=len(motif)
        )
        return sums.astype(np.float64)

    def as_decoys(
        self,
        draws: Draws,
        motif: NDArray[np.intp],
        letters: Letters,
        kind: NDArray[np.intp],
    ) -> Letters:
        """Make decoys of some sites: `PERMUTED` in another order, `MUTATED` at its core.

        A mutated site has the complements of its letters at the two most informative columns, so
        that its share of G and C stays; a permuted one has its own letters in another order.
        """
        codes = letters.codes.copy()
        of_letter = kind[letters.site]
        column = self.first[motif[letters.site]] + letters.offset
        mutated = (of_letter == MUTATED) & self.mutable[column]
        codes[mutated] = 3 - codes[mutated]
        # within a site: letters of others keep the order that they have
        keys = np.where(of_letter == PERMUTED, draws.uniform(len(codes)), letters.offset)
        codes = codes[np.lexsort((keys, letters.site))]
        return Letters(codes, letters.site, letters.offset)


def most_informative(ppm: NDArray[np.float64], count: int = 2) -> NDArray[np.bool_]:
    """Mark the columns (width,) that say the most; of equals the first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(ppm > 0, ppm * np.log2(ppm), 0.0).sum(axis=0)
    marked = np.zeros(ppm.shape[1], np.bool_)
    marked[np.argsort(-bits, kind="stable")[:count]] = True
    return marked
