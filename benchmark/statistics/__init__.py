"""Statistics of repeated trials: numpy and scipy alone, nothing of the runner.

``intervals`` has means with intervals and coverage, ``layout`` the models of a board beside each
other, blocked by seed, ``comparison`` their pairs, ``ranking`` rank sets and tie groups,
``equivalence`` what is alike, ``matched`` interpretability at matched accuracy.
"""

from __future__ import annotations

from motifidelity.statistics.comparison import Comparison, compare_models, compare_pair, holm
from motifidelity.statistics.equivalence import alike, power, reach
from motifidelity.statistics.intervals import (
    Estimate,
    estimate,
    estimate_over_items,
    trial_interval,
)
from motifidelity.statistics.matched import Matched, at_matched_accuracy, pareto_front
from motifidelity.statistics.ranking import RankSet, rank_sets, ranks_of, tie_groups
from motifidelity.statistics.two_way import (
    MIN_TRIALS,
    Layout,
    by_model,
    lay_out,
    quantile_at,
)

__all__ = [
    "MIN_TRIALS",
    "Comparison",
    "Estimate",
    "Layout",
    "Matched",
    "RankSet",
    "alike",
    "at_matched_accuracy",
    "by_model",
    "compare_models",
    "compare_pair",
    "estimate",
    "estimate_over_items",
    "holm",
    "lay_out",
    "pareto_front",
    "power",
    "quantile_at",
    "rank_sets",
    "ranks_of",
    "reach",
    "tie_groups",
    "trial_interval",
]
