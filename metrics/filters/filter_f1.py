"""Filters: how many of a network's own hold an implanted motif, and of the motifs how many.

A share of true motifs among filters rewards a network of one perfect filter; a count of motifs
rewards one of very many. F1 asks for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.filters.filter_matches import TOP_SITES, corrected_rows
from motifidelity.metrics.motifs.hits import MotifDatabase
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork


def _metric(name: str, summary: str) -> Metric:
    source = "van Rijsbergen, Information Retrieval (1979); matches as of match_fraction"
    return Metric(name, "filters", "corrected", "higher", 0.0, 1.0, None, 1, source, summary)


METRICS: tuple[Metric, ...] = (
    _metric("filter_precision", "Share of filters that look like any motif that was implanted."),
    _metric("filter_f1", "Harmonic mean of filter_precision and motif_recall."),
)


def score_f1(
    sequences: npt.NDArray[np.uint8],
    top_sites: npt.NDArray[np.integer],
    database: MotifDatabase,
    core: Mapping[str, Sequence[str]],
    implanted: Mapping[str, Sequence[str]],
    window: int = 20,
) -> list[Score]:
    """Precision of the filters, and F1 with the recall of the motifs to know.

    Parameters
    ----------
    sequences : (n, L) uint8
    top_sites : (F, K, 2) int
        Strongest first; the first 100 are used. F may be 0.
    database : MotifDatabase
    core : mapping of TF name to matrix ids
        Motifs that a network should know, of which recall is.
    implanted : mapping of TF name to matrix ids
        All motifs that any sequence holds on purpose, of which precision is: those of a background
        pool decide labels too, and to hold one is no error.
    window : int

    Returns
    -------
    list of Score
        ``filter_precision`` (n = F) and ``filter_f1`` (n = motifs to know), 0 where no filter
        matches. Empty for a network without filters.
    """
    if not len(top_sites):
        return []
    best = top_sites[:, :TOP_SITES]
    matched = [
        [
            row.true_tf
            for row in corrected_rows(
                sequences, best, database, database.columns(accepted), window
            )[0]
        ]
        for accepted in (implanted, core)
    ]
    precision = sum(tf is not None for tf in matched[0]) / len(best)
    recall = len({tf for tf in matched[1] if tf is not None}) / len(core)
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return [
        Score("filter_precision", precision, n=len(best)),
        Score("filter_f1", f1, n=len(core)),
    ]


def _score(network: ScoredNetwork) -> list[Score]:
    task, found = network.task, network.filters
    if found is None:
        return []
    return score_f1(
        task.sequences,
        found.top_sites,
        task.database,
        task.accepted,
        task.accepted_implanted,
        task.window,
    )


SCORERS = (NetworkScorer(_score, place=25),)
