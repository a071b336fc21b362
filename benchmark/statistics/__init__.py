"""Statistics of repeated trials: numpy and scipy alone, nothing of the runner.

``intervals`` has means with intervals and coverage, ``comparison`` pairwise tests, ``ranking``
rank intervals and tie groups, ``matched`` interpretability at matched accuracy.
"""

from __future__ import annotations

from motifidelity.statistics.comparison import Comparison, compare_models, compare_pair, holm
from motifidelity.statistics.intervals import (
    Estimate,
    estimate,
    estimate_over_items,
    trial_interval,
)
from motifidelity.statistics.matched import Matched, at_matched_accuracy, pareto_front
from motifidelity.statistics.ranking import RankInterval, rank_intervals, tie_groups

__all__ = [
    "Comparison",
    "Estimate",
    "Matched",
    "RankInterval",
    "at_matched_accuracy",
    "compare_models",
    "compare_pair",
    "estimate",
    "estimate_over_items",
    "holm",
    "pareto_front",
    "rank_intervals",
    "tie_groups",
    "trial_interval",
]
