"""Threshold sweep: whether what the filters hold depends on how many sites one looks at."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Direction, Metric, Score
from motifidelity.metrics.filters.filter_matches import corrected_rows
from motifidelity.metrics.motifs.hits import MotifDatabase
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

SWEEP = (20, 50, 100, 200)
"""Sites per filter: from the fewest that make a motif to twice the default."""


def _metric(name: str, direction: Direction, summary: str) -> Metric:
    source = "our definition: the best 20, 50, 100 and 200 sites before the activation"
    return Metric(name, "filters", "corrected", direction, 0.0, 1.0, None, 1, source, summary)


METRICS: tuple[Metric, ...] = (
    _metric(
        "match_fraction_sweep",
        "higher",
        "Share of filters that look like a true motif, mean over several numbers of sites.",
    ),
    _metric(
        "match_stability",
        "neutral",
        "How alike the sets of true motifs found with different numbers of sites are.",
    ),
)


def score_sweep(
    sequences: npt.NDArray[np.uint8],
    top_sites: npt.NDArray[np.integer],
    database: MotifDatabase,
    accepted: Mapping[str, Sequence[str]],
    *,
    sizes: Sequence[int] = SWEEP,
    window: int = 20,
) -> list[Score]:
    """Match the filters again with the best 20, 50, 100 and 200 sites.

    Parameters
    ----------
    sequences : (n, L) uint8
    top_sites : (F, K, 2) int
        Strongest first. Sizes above K are left out. F may be 0.
    database : MotifDatabase
    accepted : mapping of TF name to matrix ids
    sizes : sequence of int
    window : int

    Returns
    -------
    list of Score
        ``match_fraction_sweep``: mean and SD over the n sizes, then the value at each, method
        ``top20`` and so on (n = filters). ``match_stability``: mean Jaccard index of the sets of
        matched TFs over the n pairs of sizes of which one found any; nan when none found any.
        Empty for a network without filters, or fewer than two sizes.
    """
    sizes = [size for size in sizes if size <= np.shape(top_sites)[1]]
    if not len(top_sites) or len(sizes) < 2:
        return []
    columns = database.columns(accepted)
    matched = [
        [row.true_tf for row in corrected_rows(sequences, best, database, columns, window)[0]]
        for best in (top_sites[:, :size] for size in sizes)
    ]
    shares = [sum(tf is not None for tf in found) / len(found) for found in matched]
    value, pairs = jaccard([{tf for tf in found if tf is not None} for found in matched])
    return [
        Score("match_fraction_sweep", float(np.mean(shares)), float(np.std(shares)), len(sizes)),
        *(
            Score("match_fraction_sweep", share, n=len(top_sites), method=f"top{size}")
            for size, share in zip(sizes, shares, strict=True)
        ),
        Score("match_stability", value, n=pairs),
    ]


def jaccard(sets: Sequence[set[str]]) -> tuple[float, int]:
    """Mean of |a & b| / |a | b| over pairs, and the number of pairs with anything in them.

    Returns
    -------
    float, int
        nan and 0 when all sets are empty.
    """
    shares = [len(a & b) / len(a | b) for a, b in itertools.combinations(sets, 2) if a | b]
    return (float(np.mean(shares)) if shares else float("nan")), len(shares)


def _score(network: ScoredNetwork) -> list[Score]:
    task, found = network.task, network.filters
    if found is None:
        return []
    return score_sweep(
        task.sequences, found.top_sites, task.database, task.accepted, window=task.window
    )


SCORERS = (NetworkScorer(_score, place=30),)
