"""Ceilings and floors: what a scanner with the true motifs scores, and what noise does.

Each function gives arrays as a network's probe would, so that they run through the same scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.attribution.contrast import letter_log_odds
from motifidelity.metrics.motifs.pwm import (
    Codes,
    Matrix,
    checked_motifs,
    log_odds,
    reverse_complement,
    sum_sites,
    words_of,
)
from motifidelity.metrics.scored import FilterArrays

Floats = npt.NDArray[np.float64]
_HALF = 0.5


def oracle_map(
    sequences: Codes, motifs: Sequence[Matrix], present: npt.ArrayLike | None = None
) -> Floats:
    """Evidence for a site that covers each base, as a function of the letter there.

    Parameters
    ----------
    sequences : (n, L) uint8
    motifs : sequence of M (w, 4) float
        The true motifs; both strands are scanned.
    present : (n, M) bool or 0/1, optional
        Motifs whose label a sequence has: a network's maps explain those classes alone. Default:
        all.

    Returns
    -------
    (n, L, 4) float64
        At the observed letter e(z) = log2(1 + 2^z) of the posterior log-odds z = S - log2 2L, where
        S is the log-odds in bits of the best site of any motif that covers the base, and 1 / 2L
        are the prior odds of a site at a given start and strand when a sequence of length L has
        one. Rising in S, so that it ranks bases as the log-odds do, and near zero where there is
        no site, as an attribution should be. Zero where no motif is present. Another letter adds
        the difference of its log-odds (`contrast.letter_log_odds`) times the slope of e, the
        probability of the site: hypothetical contributions.

    Raises
    ------
    ValueError
        If there is no motif, one is not (w, 4), or `present` has another shape.
    """
    log_posterior, preference = _best_covering_site(sequences, motifs, present)
    slope = np.exp2(-np.logaddexp2(0.0, -log_posterior))
    evidence = np.logaddexp2(0.0, log_posterior)
    return np.asarray(evidence[:, :, None] + slope[:, :, None] * preference)


def oracle_mutagenesis(
    sequences: Codes, motifs: Sequence[Matrix], present: npt.ArrayLike | None = None
) -> Floats:
    """Change of the evidence of `oracle_map` when a letter is replaced: its mutagenesis.

    Parameters
    ----------
    sequences, motifs, present
        As in `oracle_map`.

    Returns
    -------
    (n, L, 4) float64
        e(z + difference of log-odds) - e(z), zero at the observed letter.
    """
    log_posterior, preference = _best_covering_site(sequences, motifs, present)
    mutant = np.logaddexp2(0.0, log_posterior[:, :, None] + preference)
    return np.asarray(mutant - np.logaddexp2(0.0, log_posterior)[:, :, None])


def _best_covering_site(
    sequences: Codes, motifs: Sequence[Matrix], present: npt.ArrayLike | None
) -> tuple[Floats, Floats]:
    """Posterior log-odds (n, L) of the best site over each base, and letters against the observed.

    The latter (n, L, 4) is the difference of log-odds at that site's column.
    """
    matrices = checked_motifs(motifs)
    words = words_of(sequences, 0, 0)
    n, length = sequences.shape
    held = np.ones((n, len(matrices)), bool) if present is None else np.asarray(present, bool)
    if held.shape != (n, len(matrices)):
        raise ValueError(f"present {held.shape} must be {(n, len(matrices))}")
    best = np.full((n, length), -np.inf)
    column = np.zeros((n, length), np.intp)
    letters: list[Floats] = []
    first = 0
    for index, forward in enumerate(matrices):
        for ppm in (forward, reverse_complement(forward)):
            width, number = len(ppm), max(length - len(ppm) + 1, 0)
            sites = sum_sites(words, log_odds(ppm), 0, number)
            sites[~held[:, index]] = -np.inf
            for offset in range(width if number else 0):
                here = slice(offset, offset + number)
                better = sites > best[:, here]
                best[:, here][better] = sites[better]
                column[:, here][better] = first + offset
            letters.append(letter_log_odds(ppm))
            first += width
    preference = np.concatenate(letters)[column]
    preference -= np.take_along_axis(preference, sequences[:, :, None].astype(np.intp), axis=2)
    return best - np.log2(2 * length), preference


def random_maps(rng: np.random.Generator, m: int, length: int) -> npt.NDArray[np.float32]:
    """Maps (m, length, 4) of standard normal noise."""
    return rng.standard_normal((m, length, 4), dtype=np.float32)


def random_filters(rng: np.random.Generator, number: int, width: int = 19) -> list[Floats]:
    """`number` filters (width, 4) of standard normal weights, to be scanned with."""
    return list(rng.standard_normal((number, width, 4)))


def oracle_filters(motifs: Sequence[Matrix]) -> list[Floats]:
    """The true motifs as filters: their log-odds (w, 4) in bits, forward strands."""
    return [log_odds(ppm) for ppm in checked_motifs(motifs)]


def scan_filters(
    sequences: Codes,
    filters: Sequence[Floats],
    *,
    top: int = 200,
    window: int = 20,
    scan_both: bool = False,
) -> FilterArrays:
    """Scan with filters, ReLU after it, and keep what a probe keeps.

    Parameters
    ----------
    sequences : (n, L) uint8
    filters : sequence of F (w, 4) float
        Centred at a position as in `scan.pwm_scan`; beyond the edges nothing is added.
    top : int
        K, sites kept of each filter before the activation, ties by sequence and position.
    window : int
        Sites without a whole window (as `ppm.site_counts` wants it) are not among the top.
    scan_both : bool
        `scan_max` and `filter_max` see the other strand too. For the oracle: its filters stand on
        one strand so that none repeats another, but motifs lie on both.

    Returns
    -------
    FilterArrays

    Raises
    ------
    ValueError
        If there is no filter, or one is not (w, 4).
    """
    weights = checked_motifs(filters)
    n, length = sequences.shape
    widest = max(len(each) for each in weights)
    left = widest // 2
    words = words_of(sequences, left, widest - left)
    first = window // 2 + 1
    room = max(length - (window - window // 2) - first, 0)
    above = np.zeros((n, length, len(weights)), bool)
    top_sites = np.full((len(weights), top, 2), -1, np.int32)
    scan_max = np.zeros((n, length))
    filter_max = np.zeros(len(weights))
    for index, weight in enumerate(weights):
        begin = left - len(weight) // 2
        scan = sum_sites(words, np.asarray(weight, np.float64), begin, length)
        above[:, :, index] = scan > _HALF * max(scan.max(), 0.0)
        inner = scan[:, first : first + room].ravel()
        best = np.argsort(-inner, kind="stable")[:top]
        sequence, position = np.divmod(best, max(room, 1))
        top_sites[index, : len(best)] = np.stack([sequence, position + first], axis=1)
        if scan_both:
            other = np.asarray(reverse_complement(weight), np.float64)
            scan = np.maximum(scan, sum_sites(words, other, begin, length))
        np.maximum(scan_max, scan, out=scan_max)
        filter_max[index] = max(scan.max(), 0.0)
    return FilterArrays(
        np.packbits(above, axis=-1),
        top_sites,
        scan_max.astype(np.float32),
        filter_max.astype(np.float32),
    )


def normalise(score: float, floor: float, ceiling: float) -> float:
    """Place of a score between what noise gets and what the oracle gets.

    Parameters
    ----------
    score, floor, ceiling : float
        Of one metric; where lower is better the ceiling is below the floor, and the formula holds.

    Returns
    -------
    float
        (score - floor) / (ceiling - floor): 0 at the floor, 1 at the ceiling, not clipped: a
        network may be worse than noise or better than the oracle. nan where floor and ceiling are
        equal, because the metric then tells nothing apart, and where any of the three is not
        finite.
    """
    span = ceiling - floor
    if not np.isfinite([score, floor, ceiling]).all() or span == 0:
        return float("nan")
    return float((score - floor) / span)
