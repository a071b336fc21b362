"""Motif discovery in attribution maps, by TF-MoDISco.

An optional extra (``pip install motifidelity[patterns]``): modisco-lite is under the MIT licence,
but it needs igraph and leidenalg, which are under the GNU General Public License.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import UserError
from motifidelity.metrics.attribution.patterns import METRICS, score_patterns
from motifidelity.metrics.declare import Score
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS, centred
from motifidelity.scoring.truth import Arrays, Truth
from motifidelity.worker.arrays import Part

PATTERN_METRICS = tuple(metric.name for metric in METRICS)
SEED = 0


@dataclass(frozen=True)
class Patterns:
    """Patterns that raise the logit, most seqlets first.

    Attributes
    ----------
    ppms : list of (w, 4) float64
        Mean one-hot letters of a pattern's seqlets, columns A C G T.
    num_seqlets : list of int
    """

    ppms: list[NDArray[np.float64]]
    num_seqlets: list[int]


def require_modisco() -> None:
    """Make sure that the extra is installed.

    Raises
    ------
    UserError
        If it is not.
    """
    try:
        import modiscolite  # noqa: F401
    except ImportError as error:
        raise UserError(
            "TF-MoDISco is not installed; install it with pip install 'motifidelity[patterns]'"
        ) from error


def discover(sequences: NDArray[np.uint8], hypothetical: NDArray[np.floating]) -> Patterns:
    """Patterns in hypothetical contributions, with TF-MoDISco's defaults.

    Parameters
    ----------
    sequences : (m, length) uint8
        A=0 C=1 G=2 T=3.
    hypothetical : (m, length, 4) float
        What each letter contributes, or would; less its mean over letters before use (Majdandzic
        et al., Genome Biol. 24, 109 (2023)).

    Returns
    -------
    Patterns
        Empty where no seqlet stands out.
    """
    from modiscolite.tfmodisco import TFMoDISco

    one_hot = np.eye(4, dtype=np.float32)[sequences]
    # its clustering draws from numpy's global stream
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(SEED)  # noqa: NPY002
    try:
        found, _ = TFMoDISco(
            one_hot=one_hot,
            hypothetical_contribs=np.ascontiguousarray(centred(hypothetical), np.float32),
        )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    patterns = found or []
    return Patterns(
        [np.asarray(pattern.sequence, np.float64) for pattern in patterns],
        [len(pattern.seqlets) for pattern in patterns],
    )


def pattern_scores(truth: Truth, arrays: Arrays) -> list[Score]:
    """Recall and precision of the patterns in every map that speaks of all four letters.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As `scoring.present_classes` returns them.
    """
    scores: list[Score] = []
    sequences = truth.test.sequences[truth.explained]
    for method in truth.methods:
        maps = arrays.get(Part.HYPOTHETICAL.of(method))
        if maps is None and method in arrays and METHODS[method].letters:
            maps = arrays[method]
        if maps is None or METHODS[method].paper_maps or method == FLOOR_METHOD:
            continue
        found = discover(sequences, maps)
        scores += score_patterns(
            method,
            found.ppms,
            found.num_seqlets,
            truth.database,
            truth.spec.accepted["corrected"],
        ).scores
    return scores
