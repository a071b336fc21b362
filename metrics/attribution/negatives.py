"""Negatives: whether a map stays silent where there is nothing to be found."""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.areas import rank_rows
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Floats
from motifidelity.metrics.scored import MapScorer, ScoredMaps
from motifidelity.metrics.truth.spans import Bools

METRICS: tuple[Metric, ...] = (
    Metric(
        name="negative_auroc",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: AUROC of implanted bases of sequences with a label against "
        "background bases of sequences without any, all sequences together",
        summary="Chance that an implanted base of a positive sequence gets a higher importance "
        "than a background base of a negative one.",
    ),
)


def score_negatives(
    method: str, positive: Floats, implanted: Bools, negative: Floats, background: Bools
) -> list[Score]:
    """AUROC of what is there in positives against what is not there in negatives.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    positive : (m, L) float
        Importance of each base of sequences with a label.
    implanted : (m, L) bool
    negative : (k, L) float
        Likewise of sequences without any label.
    background : (k, L) bool

    Returns
    -------
    list of Score
        ``negative_auroc`` (n = k). All bases are ranked together, on the network's one scale: a map
        that is as loud in a negative as in a positive is told, though each has a loudest base.
    """
    scores = np.concatenate([positive[implanted], negative[background]])
    truth = np.zeros(len(scores), bool)
    truth[: int(implanted.sum())] = True
    (auroc,) = rank_rows(scores[None], truth[None]).auroc
    return [Score("negative_auroc", float(auroc), n=len(negative), method=method)]


def _score(found: ScoredMaps) -> list[Score]:
    task, importance = found.task, found.importance_of_negatives
    if importance is None or found.method.paper_maps:
        return []
    return score_negatives(
        found.method.name,
        found.importance,
        task.explained_bases.implanted,
        importance,
        task.bases.rows(task.negatives).background,
    )


SCORERS = (MapScorer(_score, place=36, read=True),)
