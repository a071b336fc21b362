"""Whether a network's gradient tells what its own letters do.

A network may show gradients that are not those of its answer: a path of weight 1e-4 beside one
whose gradient is stopped or rounded away. What such a gradient foresees of a substitution is not
what the substitution does, and that can be held against the network itself, without any truth.
"""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Codes, Floats, checked_maps, observed
from motifidelity.metrics.scored import MapScorer, NetworkScorer, ScoredMaps, ScoredNetwork

GRADIENT, CHANGES = "saliency", "ism"
# changes below this share of the logit's spread over sequences are rounding, not an answer: a
# network that does not see the order of letters gives a shuffle the sequence's own logit
RESOLVED = 1e-4

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
    Metric(
        name="gradient_completeness",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="the gradient theorem: sum of |integral of the gradient - change of the logit| over "
        "that of |change|, on straight paths from dinucleotide shuffles to tested sequences",
        summary="Share of the changes of a network's logit that its gradients do not add up to.",
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


def score_paths(integrals: Floats, changes: Floats, spread: Floats | float = 0.0) -> list[Score]:
    """What gradients along paths miss of the changes of the logit.

    Parameters
    ----------
    integrals, changes : (t, paths) float
    spread : float or (t,) float
        Standard deviation of the logit that is explained over the sequences of the task.

    Returns
    -------
    list of Score
        ``gradient_completeness`` (n = t): 0 where they add up, 1 for gradients that are zero; nan
        where no logit changes, or by less than `RESOLVED` of its spread.
    """
    found, exact = (np.asarray(each, np.float64) for each in (integrals, changes))
    if found.shape != exact.shape or found.ndim != 2:
        raise ValueError(f"integrals {found.shape} and changes {exact.shape} must be (t, paths)")
    total = np.abs(exact).sum()
    least = RESOLVED * (np.broadcast_to(spread, len(exact)) * exact.shape[1]).sum()
    value = float(np.abs(found - exact).sum() / total) if total > least else float("nan")
    return [Score("gradient_completeness", value, n=len(exact))]


def _paths(network: ScoredNetwork) -> list[Score]:
    if network.path_integrals is None or network.path_changes is None:
        return []
    task = network.task
    labels = task.labels[task.explained[: len(network.path_changes)]]
    spread = labels @ np.std(network.logits, axis=0)
    return score_paths(network.path_integrals, network.path_changes, spread)


def _score(found: ScoredMaps) -> list[Score]:
    if found.method.name != GRADIENT or found.substitutions is None:
        return []
    tested = slice(found.task.tested)
    return score_gradient(
        found.maps[tested], found.substitutions[tested], found.task.explained_sequences[tested]
    )


SCORERS = (NetworkScorer(_paths, place=60), MapScorer(_score, place=45))
