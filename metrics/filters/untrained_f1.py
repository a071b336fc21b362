"""Filters: what they held before the network was trained.

Filters that are written into a network, and not learned, show no more than that their author knows
the motifs.
"""

from __future__ import annotations

from dataclasses import replace

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.filters.filter_f1 import score_f1
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

METRICS: tuple[Metric, ...] = (
    Metric(
        name="untrained_filter_f1",
        family="filters",
        definition="corrected",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source="filter_f1 of the network as it was frozen before its training",
        summary="filter_f1 of the same network before it was trained, as its own process says.",
        own_network=True,
    ),
)


def _score(network: ScoredNetwork) -> list[Score]:
    task, sites = network.task, network.untrained_top_sites
    if sites is None:
        return []
    scores = score_f1(
        task.sequences, sites, task.database, task.accepted, task.accepted_implanted, task.window
    )
    return [replace(s, metric="untrained_filter_f1") for s in scores if s.metric == "filter_f1"]


SCORERS = (NetworkScorer(_score, place=27),)
