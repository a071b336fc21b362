"""Whether a network tells satisfied from violated rules where both motifs are there in either case.

Presence of the two motifs says nothing then: what is left is how they lie to each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, auroc
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork
from motifidelity.metrics.truth.asked import pairs_part

Bools = npt.NDArray[np.bool_]

ON_TEST, ON_DESIGN = "rule_auroc", "designed_rule_auroc"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=ON_TEST,
        family="rules",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: AUROC of satisfied against violated rules among test sequences "
        "that hold both motifs of the rule",
        summary="Chance that a sequence whose two motifs satisfy their rule gets a higher logit "
        "than one whose two motifs violate it.",
    ),
    Metric(
        name=ON_DESIGN,
        family="rules",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: rule_auroc of consensus sites in backgrounds without sites, in all "
        "configurations of a rule",
        summary="The same on designed sequences that hold these two sites and nothing else.",
    ),
)


def score_rules(
    logits: Floats, labels: npt.ArrayLike, together: npt.ArrayLike, names: Sequence[str]
) -> list[Score]:
    """AUROC of satisfied against violated rules on test sequences.

    Parameters
    ----------
    logits : (n, R) float
        One a rule; only their order matters.
    labels : (n, R) uint8, 0 or 1
        Whether a sequence satisfies a rule.
    together : (n, R) bool
        Whether it holds both motifs of a rule.
    names : sequence of R str
        Become `Score.target`.

    Returns
    -------
    list of Score
        ``rule_auroc`` of each rule (n = sequences with both motifs), then the mean over rules. A
        rule that all of these satisfy, or none, has nan and is left out of the mean.
    """
    both = np.asarray(together, bool)
    values = auroc(logits.T, np.asarray(labels).T, both.T)
    return _with_mean(ON_TEST, values, both.sum(axis=0), names)


def designed_auroc(logits: Floats, satisfied: Bools, ranked: Bools) -> float:
    """AUROC of satisfied against violated configurations of one rule, in all backgrounds together.

    Parameters
    ----------
    logits : (p, b) float
        Of that rule, for each configuration in each background.
    satisfied : (p,) bool
    ranked : (p,) bool
        Configurations that count: those that the task's recipe draws.
    """
    scores = np.asarray(logits, np.float64)[ranked]
    truth = np.repeat(satisfied[ranked], scores.shape[1])
    (value,) = auroc(scores.reshape(1, -1), truth[None])
    return float(value)


def score_designed(
    logits: Sequence[Floats],
    satisfied: Sequence[Bools],
    ranked: Sequence[Bools],
    names: Sequence[str],
) -> list[Score]:
    """AUROC of satisfied against violated rules on designed sequences.

    Parameters
    ----------
    logits, satisfied, ranked
        As `designed_auroc` takes them, of each rule.
    names : sequence of R str

    Returns
    -------
    list of Score
        ``designed_rule_auroc`` of each rule (n = designed sequences that count), then the mean.
    """
    values = [designed_auroc(*one) for one in zip(logits, satisfied, ranked, strict=True)]
    sizes = [int(keep.sum()) * one.shape[1] for one, keep in zip(logits, ranked, strict=True)]
    return _with_mean(ON_DESIGN, np.array(values), sizes, names)


def _with_mean(
    metric: str, values: npt.NDArray[np.float64], sizes: npt.ArrayLike, names: Sequence[str]
) -> list[Score]:
    each = [
        Score(metric, float(value), n=int(size), target=name)
        for value, size, name in zip(values, np.asarray(sizes), names, strict=True)
    ]
    return [*each, mean_score(metric, values)]


def _score(network: ScoredNetwork) -> list[Score]:
    task, rules = network.task, network.task.rules
    if rules is None:
        return []
    scores = score_rules(network.logits, task.labels, rules.together, task.classes)
    if network.answers is not None and rules.pairs:
        logits = [
            network.answers[pairs_part(name)][..., number]
            for number, name in enumerate(task.classes)
        ]
        satisfied, ranked = zip(*((one.satisfied, one.ranked) for one in rules.pairs), strict=True)
        scores += score_designed(logits, satisfied, ranked, task.classes)
    return scores


SCORERS = (NetworkScorer(_score, place=12),)
