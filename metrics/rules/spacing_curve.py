"""How a network's answer to two motifs goes with the distance between them: never ranked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, pearson
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork
from motifidelity.metrics.truth.asked import pairs_part

Bools = npt.NDArray[np.bool_]
AGREEMENT = "spacing_agreement"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=AGREEMENT,
        family="rules",
        definition="standard",
        direction="neutral",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: Pearson correlation of the mean logit by distance with the rule, "
        "on designed sequences, over the distances that the recipe draws",
        summary="How well the answer to two sites follows the rule as they move apart; a mere "
        "decline with distance may get 0.9.",
    ),
)

LONGEST = 60
"""Bases between the sites, up to which the curve is drawn."""


def spacing_curve(
    logits: Floats, gap: npt.NDArray[np.integer], keep: Bools, longest: int = LONGEST
) -> npt.NDArray[np.float64]:
    """Mean logit of one rule by distance.

    Parameters
    ----------
    logits : (p, b) float
        For each configuration in each background.
    gap : (p,) int
        Bases between the sites.
    keep : (p,) bool
        Configurations that count: those on whose sides and strands the rule can be satisfied.
    longest : int

    Returns
    -------
    (longest + 1,) float64
        nan at a distance that no configuration has.
    """
    mine = keep & (gap <= longest)
    means = np.asarray(logits, np.float64)[mine].mean(axis=1)
    size = longest + 1
    with np.errstate(invalid="ignore"):
        total = np.bincount(gap[mine], weights=means, minlength=size)
        return np.asarray(total / np.bincount(gap[mine], minlength=size))


def curve_agreement(
    curve: npt.NDArray[np.float64],
    gap: npt.NDArray[np.integer],
    satisfied: Bools,
    ranked: Bools,
    keep: Bools,
) -> float:
    """Pearson correlation of the curve with the rule, over the distances that the recipe draws.

    A mere decline with distance gets .75 of a rule that asks for 4-9 bases and not for 14-39.

    Parameters
    ----------
    curve : (d,) float
        By distance, from 0.
    gap, keep
        As `spacing_curve` takes them.
    satisfied, ranked : (p,) bool
        Whether a configuration satisfies the rule, and whether the recipe draws it.

    Returns
    -------
    float
        nan where every such distance satisfies the rule, or none; 0 for a constant curve.
    """
    mine = keep & ranked & (gap < len(curve))
    distances, first = np.unique(gap[mine], return_index=True)
    truth = satisfied[mine][first].astype(float)
    (value,) = pearson(curve[distances][None], truth[None])
    return float(value)


def _score(network: ScoredNetwork) -> list[Score]:
    task, rules = network.task, network.task.rules
    if rules is None or network.answers is None:
        return []
    found = []
    for number, (name, one) in enumerate(zip(task.classes, rules.pairs, strict=False)):
        logits = network.answers[pairs_part(name)][..., number]
        curve = spacing_curve(logits, one.gap, one.on_curve)
        value = curve_agreement(curve, one.gap, one.satisfied, one.ranked, one.on_curve)
        # a rule that does not hang on the distance has none
        if not np.isnan(value):
            found.append(Score(AGREEMENT, value, n=int(np.isfinite(curve).sum()), target=name))
    return [*found, mean_score(AGREEMENT, [one.value for one in found])] if found else []


SCORERS = (NetworkScorer(_score, place=13),)
