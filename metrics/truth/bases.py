"""Truth in three states: bases that were implanted, bases of chance sites, and background.

A random sequence holds sites as strong as implanted ones: a map that points at one is not wrong.
And an implanted motif has columns that say almost nothing: a map that is silent there is not wrong
either. Corrected scores leave both out; the study's scores know neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.ppm import information_content
from motifidelity.metrics.motifs.pwm import Matrix
from motifidelity.metrics.truth.spans import Bools, Role, SiteTable, Spans, cover, find_spans

__all__ = [
    "BaseTruth",
    "Role",
    "SiteTable",
    "Spans",
    "State",
    "base_truth",
    "find_spans",
]

STUDY_BITS = 0.01
"""A column counts as implanted truth above this information (the study's threshold)."""
LOW_INFORMATION_BITS = 0.25
"""A column at or below this says too little to be scored.

There the likeliest letter has p < 0.5 and about a third of the drawn letters have negative
log-odds (over all columns of JASPAR 2016 with 0.2 to 0.25 bit: 32 %, and the SD of a letter's
log-odds is three times their mean), so that even the generating matrix speaks against them.
"""


class State(IntEnum):
    """What a base is; only background and implanted bases are scored."""

    BACKGROUND = 0
    IMPLANTED = 1
    CHANCE = 2
    LOW_INFORMATION = 3


@dataclass(frozen=True, eq=False)
class BaseTruth:
    """What each base is, for corrected scores and for the study's.

    Attributes
    ----------
    states : (n, L) uint8
        `State`.
    study : (n, L) bool
        The study's truth: the generating column has more than 0.01 bit.
    """

    states: npt.NDArray[np.uint8]
    study: Bools

    @property
    def implanted(self) -> Bools:
        """Implanted bases that corrected scores count."""
        return np.asarray(self.states == State.IMPLANTED)

    @property
    def background(self) -> Bools:
        """Neither implanted nor part of a chance site."""
        return np.asarray(self.states == State.BACKGROUND)

    @property
    def chance(self) -> Bools:
        """Bases of chance sites, implanted ones excepted."""
        return np.asarray(self.states == State.CHANCE)

    @property
    def low_information(self) -> Bools:
        """Implanted bases whose column says too little."""
        return np.asarray(self.states == State.LOW_INFORMATION)

    def rows(self, rows: npt.NDArray[np.integer]) -> BaseTruth:
        """The given sequences."""
        return BaseTruth(self.states[rows], self.study[rows])


def base_truth(
    shape: tuple[int, int],
    spans: Spans,
    motifs: Sequence[Matrix],
    *,
    low_information: float = LOW_INFORMATION_BITS,
) -> BaseTruth:
    """State of every base.

    Parameters
    ----------
    shape : (n, L)
        Of the sequences.
    spans : Spans
    motifs : sequence of (w, 4) float
        What `Spans.motif` counts through.
    low_information : float
        Bits; implanted columns at or below it are left out of corrected scores.

    Returns
    -------
    BaseTruth
        Implanted goes before low information, that before chance, and all before background.
    """
    information = [information_content(ppm) for ppm in motifs]
    implants, chance = spans.of(Role.IMPLANT), spans.of(Role.CHANCE)
    states = np.full(shape, State.BACKGROUND, np.uint8)
    states[cover(shape, chance)] = State.CHANCE
    states[cover(shape, implants)] = State.LOW_INFORMATION
    states[cover(shape, implants, [bits > low_information for bits in information])] = (
        State.IMPLANTED
    )
    study = cover(shape, implants, [bits > STUDY_BITS for bits in information])
    return BaseTruth(states, study)
