"""Families: whether filters hold motifs of the right family, if not of the very factor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.filters.filter_matches import match_filters
from motifidelity.metrics.motifs.hits import FilterRow
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

_SOURCE = "our definition; families as JASPAR has them (TFClass: Wingender et al. 2018)"

METRICS: tuple[Metric, ...] = (
    Metric(
        "family_match_fraction",
        "filters",
        "corrected",
        "higher",
        0.0,
        1.0,
        None,
        1,
        _SOURCE,
        "Share of filters whose best match is of the family of a true motif.",
    ),
    Metric(
        "family_recall",
        "filters",
        "corrected",
        "higher",
        0.0,
        1.0,
        None,
        1,
        _SOURCE,
        "Share of the true motifs of whose family some filter's best match is.",
    ),
)


def score_families(
    rows: Sequence[FilterRow],
    families: Mapping[str, Collection[str]],
    accepted: Mapping[str, Sequence[str]],
) -> list[Score]:
    """Compare the family of each filter's best hit with those of the true factors.

    Parameters
    ----------
    rows : sequence of F FilterRow
        The corrected ones (`FilterScores.filters`).
    families : mapping of matrix id to family names
        JASPAR's ``tf_family``; a dimer has several, some matrices none.
    accepted : mapping of TF name to matrix ids

    Returns
    -------
    list of Score
        ``family_match_fraction`` (n = F) and ``family_recall`` (n = true factors with a family).
        Empty without filters.

    Notes
    -----
    The best hit over the whole database decides, not the best true one: related factors have
    almost the same motif, so this counts what `match_fraction` may miss, and leaves out true hits
    that are not the best.
    """
    if not rows:
        return []
    wanted = {
        tf: {name for matrix in matrices for name in families.get(matrix, ())}
        for tf, matrices in accepted.items()
    }
    true = set().union(*wanted.values())
    hits = [set(families.get(row.best_hit, ())) if row.best_hit else set() for row in rows]
    seen = set().union(*hits)
    known = [names for names in wanted.values() if names]
    recall = sum(bool(names & seen) for names in known) / len(known) if known else float("nan")
    return [
        Score(
            "family_match_fraction", sum(bool(hit & true) for hit in hits) / len(rows), n=len(rows)
        ),
        Score("family_recall", recall, n=len(known)),
    ]


def _score(network: ScoredNetwork) -> list[Score]:
    if network.filters is None:
        return []
    rows = network.once(match_filters).filters
    corrected = [row for row in rows if row.definition == "corrected"]
    return score_families(corrected, network.task.families, network.task.accepted)


SCORERS = (NetworkScorer(_score, place=40),)
