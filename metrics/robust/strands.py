"""Strands: whether a network answers a sequence and its reverse complement alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, pearson
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

CONSISTENCY = "strand_consistency"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=CONSISTENCY,
        family="robust",
        definition="standard",
        direction="neutral",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: Pearson correlation of answers to sequences and to their reverse "
        "complements",
        summary="How alike a network answers both strands; counting G and C has 1.",
    ),
)


def score_strands(given: Floats, reverse: Floats, names: Sequence[str]) -> list[Score]:
    """Correlation of answers to sequences and to their reverse complements.

    Parameters
    ----------
    given, reverse : (n, C) float
        Logits or predictions.
    names : sequence of C str

    Returns
    -------
    list of Score
        ``strand_consistency`` of each output (n = sequences), then the mean. Counting G and C has
        1; an answer that is constant or missing on either side has 0.
    """
    one, other = (np.asarray(each, np.float64).T for each in (given, reverse))
    values = pearson(one, other)
    # neither side is a truth: a constant one is an answer that says nothing
    values = np.where(np.isnan(values), 0.0, values)
    each = [
        Score(CONSISTENCY, float(value), n=len(given), target=name)
        for value, name in zip(values, names, strict=True)
    ]
    return [*each, mean_score(CONSISTENCY, values)]


def _score(network: ScoredNetwork) -> list[Score]:
    if network.reverse_logits is None:
        return []
    return score_strands(network.logits, network.reverse_logits, network.task.classes)


SCORERS = (NetworkScorer(_score, place=17),)
