"""Filters: whether what the network predicts comes through its first-layer filters.

Filters that a network does not use say nothing of it, however well they look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import REGRESSION, NetworkScorer, ScoredNetwork

CHANCE = 0.5
# less than this above chance is too little to take a share of
LEAST = 0.05

METRICS: tuple[Metric, ...] = (
    Metric(
        name="scan_reliance",
        family="filters",
        definition="standard",
        direction="neutral",
        low=None,
        high=None,
        chance=None,
        version=1,
        source="(AUROC - 0.5) over (full AUROC - 0.5), where the filter scan keeps its values and "
        "every other use of the input gets another sequence",
        summary="Share of the accuracy above chance that is left where only the filters see the "
        "sequence.",
        own_network=True,
    ),
)


def score_reliance(
    logits: npt.NDArray[np.floating],
    scan_logits: npt.NDArray[np.floating],
    labels: npt.ArrayLike,
    class_names: Sequence[str],
) -> list[Score]:
    """Share of the accuracy above chance that a network keeps.

    Parameters
    ----------
    logits, scan_logits : (n, C) float
        Of the test sequences; where the filter scan alone sees them.
    labels : (n, C) uint8, 0 or 1
    class_names : sequence of C str

    Returns
    -------
    list of Score
        ``scan_reliance`` (n = test sequences), of the mean AUROC over classes: 1 where nothing is
        lost, about 0 where all is; nan for a network less than 0.05 above chance.
    """
    full, left = (_auroc(each, labels, class_names) - CHANCE for each in (logits, scan_logits))
    value = left / full if full >= LEAST else float("nan")
    return [Score("scan_reliance", value, n=len(logits))]


def _auroc(
    logits: npt.NDArray[np.floating], labels: npt.ArrayLike, class_names: Sequence[str]
) -> float:
    scores = score_accuracy(logits, labels, class_names)
    return next(s.value for s in scores if s.metric == "auroc" and s.target is None)


def _score(network: ScoredNetwork) -> list[Score]:
    # its AUROC is of classes
    if network.scan_logits is None or network.task.target == REGRESSION:
        return []
    task = network.task
    return score_reliance(network.logits, network.scan_logits, task.labels, task.classes)


SCORERS = (NetworkScorer(_score, place=26),)
