"""Whether a network's gradient tells what its own letters do.

A network may show gradients that are not those of its answer: a path of weight 1e-4 beside one
whose gradient is stopped or rounded away. What such a gradient foresees of a substitution is not
what the substitution does, and that can be held against the network itself, without any truth.
"""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Codes, Floats, checked_maps, observed
from motifidelity.metrics.scored import MapScorer, ScoredMaps

GRADIENT, CHANGES = "saliency", "ism"

METRICS: tuple[Metric, ...] = (
    Metric(
        name="gradient_fidelity",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: Pearson correlation, over all substitutions of a letter, of the "
        "gradient's first-order prediction with the exact change of the logit",
        summary="How well a network's gradient foretells what single letters do to its own logit.",
        own_network=True,
    ),
)


def score_gradient(gradient: Floats, changes: Floats, sequences: Codes) -> list[Score]:
    """Correlation of what gradients foresee with what substitutions do.

    Parameters
    ----------
    gradient : (m, L, 4) float
        Of the logit at each sequence.
    changes : (m, L, 4) float
        Change of the logit under each letter in place of the one that is there.
    sequences : (m, L) uint8

    Returns
    -------
    list of Score
        ``gradient_fidelity`` over the 3 m L substitutions (n = m); nan where either side is one
        constant.

    Raises
    ------
    ValueError
        If shapes do not fit or a value is not finite.
    """
    gradient = checked_maps(np.asarray(gradient, np.float64), sequences)
    changes = checked_maps(np.asarray(changes, np.float64), sequences)
    other = np.arange(4) != sequences[:, :, None]
    foreseen = (gradient - observed(gradient, sequences)[:, :, None])[other]
    exact = changes[other]
    value = float("nan")
    if len(exact) and np.ptp(foreseen) > 0 and np.ptp(exact) > 0:
        value = float(np.corrcoef(foreseen, exact)[0, 1])
    return [Score("gradient_fidelity", value, n=len(sequences), method=GRADIENT)]


def _score(found: ScoredMaps) -> list[Score]:
    if found.method.name != GRADIENT or found.substitutions is None:
        return []
    tested = slice(found.task.tested)
    return score_gradient(
        found.maps[tested], found.substitutions[tested], found.task.explained_sequences[tested]
    )


SCORERS = (MapScorer(_score, place=45),)
