"""Which kind of negative misleads a network: positives against each kind by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.association import Floats, auroc
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

OF_KIND, WORST = "kind_auroc", "auroc_worst"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=OF_KIND,
        family="robust",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="Hanley & McNeil, Radiology 143, 29-36 (1982), of positives and one kind of "
        "negative",
        summary="Chance that a positive gets a higher logit than a negative of one kind.",
    ),
    Metric(
        name=WORST,
        family="robust",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: the lowest kind_auroc",
        summary="The same of the kind of negative that misleads a network most.",
    ),
)


def score_kinds(
    logits: Floats, positive: npt.ArrayLike, kind: npt.ArrayLike, names: Sequence[str]
) -> list[Score]:
    """AUROC of positives against each kind of negative.

    Parameters
    ----------
    logits : (n,) float
    positive : (n,) bool or 0/1
    kind : (n,) int
        Of negatives, as ``names`` counts; of positives it is not read.
    names : sequence of K str
        Become `Score.target`.

    Returns
    -------
    list of Score
        ``kind_auroc`` of each kind (n = sequences that are ranked), then ``auroc_worst``, the
        lowest (n = kinds). A kind without sequences has nan and is left out.
    """
    truth, of = np.asarray(positive, bool), np.asarray(kind)
    keep = truth | (of == np.arange(len(names))[:, None])
    rows = np.broadcast_to(logits, keep.shape)
    values = auroc(rows, np.broadcast_to(truth, keep.shape), keep)
    each = [
        Score(OF_KIND, float(value), n=int(size), target=name)
        for value, size, name in zip(values, keep.sum(axis=1), names, strict=True)
    ]
    defined = values[~np.isnan(values)]
    worst = float(defined.min()) if defined.size else float("nan")
    return [*each, Score(WORST, worst, n=defined.size)]


def _score(network: ScoredNetwork) -> list[Score]:
    task = network.task
    if task.kinds is None:
        return []
    return score_kinds(network.logits[:, 0], task.labels[:, 0], task.kinds, task.kind_names)


SCORERS = (NetworkScorer(_score, place=16),)
