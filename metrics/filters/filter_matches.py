"""Filters: whether the first-layer filters hold the true motifs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import STUDY, Direction, Metric, Score
from motifidelity.metrics.motifs.hits import INFORMATIVE_BITS, FilterRow, MotifDatabase
from motifidelity.metrics.motifs.ppm import (
    information_content,
    site_counts,
    to_ppm,
    top_site_counts,
)
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork

__all__ = ["METRICS", "SCORERS", "FilterRow", "FilterScores", "match_filters", "score_filters"]

MIN_SITES = 20
TOP_SITES = 100
PSEUDOCOUNT = 0.25

_CORRECTED = f"{STUDY}; the 100 best sites before the activation, a pseudocount"


def _paper(name: str, summary: str) -> Metric:
    return Metric(name, "filters", "paper", "higher", 0.0, 1.0, None, 1, STUDY, summary)


def _corrected(name: str, direction: Direction, high: float | None, summary: str) -> Metric:
    return Metric(name, "filters", "corrected", direction, 0.0, high, None, 1, _CORRECTED, summary)


METRICS: tuple[Metric, ...] = (
    _corrected("match_any", "higher", 1.0, "Share of filters that look like any known motif."),
    _corrected("match_fraction", "higher", 1.0, "Share of filters that look like a true motif."),
    _corrected(
        "motifs_found",
        "higher",
        None,
        "Number of true motifs that are some filter's best true hit.",
    ),
    _corrected("motif_recall", "higher", 1.0, "Share of the true motifs that some filter found."),
    _corrected(
        "redundancy", "neutral", 1.0, "Share of the matched filters that repeat a motif of another."
    ),
    _corrected(
        "flat_filters",
        "neutral",
        None,
        "Number of filters without a motif: few sites, or no pattern.",
    ),
    _paper(
        "paper_match_any", "Share of filters that look like any known motif, by half-maximum sites."
    ),
    _paper(
        "paper_match_fraction",
        "Share of filters that look like a true motif, by half-maximum sites and the study's list.",
    ),
    _paper(
        "paper_motif_coverage",
        "The study's coverage of the true motifs; a counting defect makes it (motifs - 1) / motifs "
        "when a filter is unmatched, even if all are, and 1 otherwise.",
    ),
)


@dataclass(frozen=True)
class FilterScores:
    """The scores, and the F corrected and F paper rows behind them."""

    scores: list[Score]
    filters: list[FilterRow]


def score_filters(
    sequences: npt.NDArray[np.uint8],
    above_half_max: npt.NDArray[np.uint8],
    top_sites: npt.NDArray[np.integer],
    *,
    database_ids: Sequence[str],
    database_names: Sequence[str],
    database_ppms: Sequence[npt.NDArray[np.floating]],
    accepted: Mapping[str, Sequence[str]],
    accepted_paper: Mapping[str, Sequence[str]],
    window: int = 20,
) -> FilterScores:
    """Align each filter's sites, compare the motif with a database, and count what was found.

    Parameters
    ----------
    sequences : (n, L) uint8
        Test sequences; A=0 C=1 G=2 T=3.
    above_half_max : (n, L, ceil(F/8)) uint8
        See `ppm.site_counts`.
    top_sites : (F, K, 2) int
        See `ppm.top_site_counts`, strongest first; the first 100 are used. F may be 0.
    database_ids, database_names : sequences of T str
        All motifs that a filter is compared with, unique ids.
    database_ppms : sequence of T (w, 4) float
    accepted, accepted_paper : mapping of TF name to matrix ids
        Matrices that count as finding that TF, for the corrected and the study's scores. Ids that
        the database does not hold are ignored.
    window : int
        Width of the aligned sites in bases.

    Returns
    -------
    FilterScores
        Both lists are empty for a network without filters (F = 0).

    Raises
    ------
    ValueError
        If the shapes or the database's lengths disagree, or a TF has no matrix in the database.

    Notes
    -----
    A hit is E <= 0.1 (E = p x T, `tomtom.compare`), except a lone hit on Gmeb1, which nearly any
    patternless matrix matches (the study does not count it either). Paper: Koo & Ploenzke (2021),
    sites above half of the filter's maximum, mean one-hot, uniform below 2 sites. Corrected: the
    best sites before the activation, so that the activation's shape does not choose them, and 0.25
    added to each count; a filter with fewer than 20 sites or no column above 0.5 bit is flat. A
    flat filter (for the paper scores: an exactly uniform one) is not compared and has no hit.
    """
    ids = list(database_ids)
    if not len(ids) == len(database_names) == len(database_ppms):
        raise ValueError(
            f"{len(ids)} database ids, {len(database_names)} names and {len(database_ppms)} "
            "matrices must be equally many"
        )
    database = MotifDatabase(ids, list(database_names), database_ppms)
    true_paper, true_corrected = database.columns(accepted_paper), database.columns(accepted)
    num_filters = len(top_sites)
    if num_filters == 0:
        return FilterScores([], [])

    corrected, num_flat = corrected_rows(
        sequences, top_sites[:, :TOP_SITES], database, true_corrected, window
    )

    counts, num_sites = site_counts(above_half_max, num_filters, sequences, window)
    ppms = to_ppm(counts)
    ppms[num_sites < 2] = 0.25
    uniform: npt.NDArray[np.bool_] = (ppms == 0.25).all(axis=(1, 2))
    paper = database.match("paper", ppms, num_sites, uniform, true_paper)

    scores = corrected_scores(corrected, num_flat, len(accepted))
    scores += paper_scores(paper, len(accepted_paper))
    return FilterScores(scores, corrected + paper)


def corrected_rows(
    sequences: npt.NDArray[np.uint8],
    top_sites: npt.NDArray[np.integer],
    database: MotifDatabase,
    true_columns: Mapping[str, Sequence[int]],
    window: int = 20,
) -> tuple[list[FilterRow], int]:
    """What each filter holds by its best sites, and how many filters are flat.

    Parameters
    ----------
    sequences : (n, L) uint8
    top_sites : (F, K, 2) int
        All of them are used.
    database : MotifDatabase
    true_columns : mapping of TF name to places in the database
        `MotifDatabase.columns` of the accepted matrices.
    window : int

    Returns
    -------
    list of F FilterRow, and int
    """
    counts, num_sites = top_site_counts(top_sites, sequences, window)
    ppms = to_ppm(counts, PSEUDOCOUNT)
    ppms[num_sites < MIN_SITES] = 0.25
    flat: npt.NDArray[np.bool_] = information_content(ppms).max(axis=1) <= INFORMATIVE_BITS
    rows = database.match("corrected", ppms, num_sites, flat, true_columns)
    return rows, int(flat.sum())


def corrected_scores(rows: Sequence[FilterRow], num_flat: int, num_true: int) -> list[Score]:
    """Corrected scores from the corrected rows.

    Parameters
    ----------
    rows : sequence of F FilterRow
    num_flat : int
        Flat filters among them.
    num_true : int
        True TFs of the task.

    Returns
    -------
    list of Score
        n is F, or `num_true` for ``motifs_found`` and ``motif_recall``, or the number of matched
        filters for ``redundancy`` (which is 0 when at most one filter matched).
    """
    total = len(rows)
    matched = [row.true_tf for row in rows if row.true_tf is not None]
    found = len(set(matched))
    redundancy = 1 - found / len(matched) if len(matched) > 1 else 0.0
    return [
        Score("match_any", sum(row.best_hit is not None for row in rows) / total, n=total),
        Score("match_fraction", len(matched) / total, n=total),
        Score("motifs_found", float(found), n=num_true),
        Score("motif_recall", found / num_true, n=num_true),
        Score("redundancy", redundancy, n=len(matched)),
        Score("flat_filters", float(num_flat), n=total),
    ]


def paper_scores(rows: Sequence[FilterRow], num_true: int) -> list[Score]:
    """The study's scores from the paper rows; arguments as in `corrected_scores`."""
    total = len(rows)
    matched = sum(row.true_tf is not None for row in rows)
    # The study keeps the best q-value per motif in an array that starts at zero, with an extra
    # place 0 for unmatched filters, and counts the places that are not 1, less one. A motif that
    # nobody found stays at zero and so counts; place 0 is 1 only if some filter is unmatched.
    coverage = (num_true - (matched < total)) / num_true
    return [
        Score("paper_match_any", sum(row.best_hit is not None for row in rows) / total, n=total),
        Score("paper_match_fraction", matched / total, n=total),
        Score("paper_motif_coverage", coverage, n=num_true),
    ]


def match_filters(network: ScoredNetwork) -> FilterScores:
    """Scores and rows of a network's filters; empty for one without any."""
    task, found = network.task, network.filters
    if found is None:
        return FilterScores([], [])
    return score_filters(
        task.sequences,
        found.above_half_max,
        found.top_sites,
        database_ids=task.database.ids,
        database_names=task.database.names,
        database_ppms=task.database.ppms,
        accepted=task.accepted,
        accepted_paper=task.accepted_paper,
        window=task.window,
    )


SCORERS = (NetworkScorer(lambda network: network.once(match_filters).scores, place=20),)
