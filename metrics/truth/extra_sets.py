"""What is true of extra test sets: drawn by the rule of the training set, otherwise in one respect.

Predictions of them are asked among the other questions; maps of some of their sequences are arrays
of their own, set after set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.pwm import Codes
from motifidelity.metrics.truth.bases import BaseTruth

Ints = npt.NDArray[np.integer]


def shifted_part(name: str) -> str:
    """Of a shifted set's sequences (n,)."""
    return f"shifted {name}"


@dataclass(frozen=True, eq=False)
class ShiftedSet:
    """A test set on which the scores of the task are taken again.

    Attributes
    ----------
    name : str
    positive : (n,) bool
    kinds : (n,) int
        Of negatives, as `ScoredTask.kind_names` counts.
    rows : slice
        Its explained sequences, all positive, among those of all extra sets.
    planted : (k, L) uint8, 0 or 1
        Of the explained ones; ``bases``: what each of their bases is.
    oracle_worst, oracle_maps : float
        What the oracle of the training set gets here; nan where maps have no floor.
    """

    name: str
    positive: npt.NDArray[np.bool_]
    kinds: Ints
    rows: slice
    planted: npt.NDArray[np.uint8]
    bases: BaseTruth
    oracle_worst: float = float("nan")
    oracle_maps: float = float("nan")


@dataclass(frozen=True, eq=False)
class DecoySites:
    """True instances and decoys in the same sequences, (k,) each.

    Attributes
    ----------
    sequence : (k,) int
        Among the explained sequences of all extra sets.
    start, end : (k,) int
        Half-open span in bases.
    true : (k,) bool
        Whether it is an instance.
    """

    sequence: Ints
    start: Ints
    end: Ints
    true: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ExtraTruth:
    """Every extra test set of a task.

    Attributes
    ----------
    explained : (e, L) uint8
        Sequences that maps are made of, set after set.
    shifted : tuple of ShiftedSet
    decoys : DecoySites or None
    """

    explained: Codes
    shifted: tuple[ShiftedSet, ...] = ()
    decoys: DecoySites | None = None
