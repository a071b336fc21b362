"""The generating grammar as a classifier: how well the labels can be told at all.

A task's sequence is uniform background with n motifs, drawn with equal chance from a pool of
matrices and set down without overlap. So the probability of a sequence is a sum over all ways to
place motifs in it, which a recursion over positions takes exactly; the classifier that compares
these sums is the best possible one, but for two simplifications (`pool_log_likelihood`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.motifs.pwm import (
    Codes,
    Matrix,
    checked_motifs,
    log_odds,
    reverse_complement,
    sum_sites,
    words_of,
)

Table = npt.NDArray[np.float64]

_CHUNK = 250
_LARGEST = 700.0


def count_distribution(cumulative: Sequence[float], offset: int) -> dict[int, float]:
    """Probability of each number of motifs.

    Parameters
    ----------
    cumulative : sequence of float
        Cumulated weights, rising from 0. A uniform number u gives the last index with
        u > cumulative[index].
    offset : int
        Added to that index.

    Returns
    -------
    dict of int to float
        Sums to 1; numbers without probability are left out.
    """
    edges = np.minimum(np.append(np.asarray(cumulative, np.float64), 1.0), 1.0)
    return {index + offset: float(share) for index, share in enumerate(np.diff(edges)) if share > 0}


def class_logits(sequences: Codes, motifs: Sequence[Matrix], counts: Mapping[int, float]) -> Table:
    """Log posterior odds that each motif was implanted, on either strand.

    Parameters
    ----------
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    motifs : sequence of M (w, 4) float
        The pool, on forward strands; both strands are equally likely.
    counts : mapping of int to float
        Probability of each number of motifs.

    Returns
    -------
    (n, M) float64
        Natural logits, within 700 of zero.
    """
    length = sequences.shape[1]
    matrices = checked_motifs(motifs)
    weights = _placement_weights([len(ppm) for ppm in matrices], counts, length)
    logits = np.empty((len(sequences), len(matrices)))
    for rows, sites in _sites(sequences, matrices):
        odds = [one / (2 * len(matrices)) for one in sites]
        for index, ppm in enumerate(matrices):
            others: dict[int, Table] = {}
            for other, its in enumerate(odds):
                if other != index:
                    width = len(matrices[other])
                    others[width] = others[width] + its if width in others else its
            absent, present = _place(others, {len(ppm): odds[index]}, length, len(weights))
            with np.errstate(divide="ignore"):
                ratio = np.log(weights @ present) - np.log(weights @ absent)
            logits[rows, index] = np.clip(ratio, -_LARGEST, _LARGEST)
    return logits


def pool_logits(
    sequences: Codes,
    core: Sequence[Matrix],
    background: Sequence[Matrix],
    counts: Mapping[int, float],
) -> Table:
    """Log-likelihood ratio of a core-only sequence against one of core and background motifs.

    Parameters
    ----------
    sequences : (n, L) uint8
    core, background : sequences of (w, 4) float
        Positives draw from `core`, negatives from both, every matrix on both strands.
    counts : mapping of int to float

    Returns
    -------
    (n,) float64
        Natural logits.
    """
    number = len(checked_motifs(core))
    matrices = checked_motifs([*core, *background])
    total = np.empty(len(sequences))
    for rows, sites in _sites(sequences, matrices):
        both = (
            _log_likelihood(matrices[:end], sites[:end], counts, sequences.shape[1])
            for end in (number, len(matrices))
        )
        total[rows] = np.subtract(*both)
    return total


def pool_log_likelihood(
    sequences: Codes, motifs: Sequence[Matrix], counts: Mapping[int, float]
) -> Table:
    """Log-likelihood of sequences whose motifs come from a pool, less that of pure background.

    Parameters
    ----------
    sequences : (n, L) uint8
    motifs : sequence of (w, 4) float
    counts : mapping of int to float

    Returns
    -------
    (n,) float64
        Natural log.

    Notes
    -----
    With F_k(p) the summed odds of all ways to place k motifs in the first p bases,
    F_k(p) = F_k(p - 1) + sum over motifs of F_{k-1}(p - w) 2^(log-odds of the site at p - w) / 2M;
    the forward algorithm of a hidden Markov model (Durbin et al., Biological Sequence Analysis,
    1998). Two simplifications: all placements of k motifs count as equally likely, where the
    generator's gaps are a little more even; and their number is taken for motifs of mean width.
    """
    matrices = checked_motifs(motifs)
    total = np.empty(len(sequences))
    for rows, sites in _sites(sequences, matrices):
        total[rows] = _log_likelihood(matrices, sites, counts, sequences.shape[1])
    return total


def sites_log_likelihood(
    widths: Sequence[int], odds: Sequence[Table], counts: Mapping[int, float], length: int
) -> Table:
    """Log-likelihood of sequences with some sites, less that of background, by the sites' odds.

    Parameters
    ----------
    widths : sequence of int
        Of what sites are drawn from.
    odds : sequence of (starts, n) float
        Odds of a site against background at each start; what they are of is as likely each, so
        that they are over its number already.
    counts : mapping of int to float
        Probability of each number of sites.
    length : int
        Of the sequences.

    Returns
    -------
    (n,) float64
        Natural log, at least -700. As `pool_log_likelihood` says.
    """
    by_width: dict[int, Table] = {}
    for width, sites in zip(widths, odds, strict=True):
        by_width[width] = by_width[width] + sites if width in by_width else sites
    weights = _placement_weights(widths, counts, length)
    absent, _ = _place(by_width, {}, length, len(weights))
    with np.errstate(divide="ignore"):
        total: Table = np.maximum(np.log(weights @ absent), -_LARGEST)
    return total


def _chunks(n: int) -> list[slice]:
    return [slice(first, min(first + _CHUNK, n)) for first in range(0, n, _CHUNK)]


def _sites(sequences: Codes, matrices: Sequence[Matrix]) -> Iterator[tuple[slice, list[Table]]]:
    """Rows of some sequences at a time, and the odds of each matrix's sites in them."""
    for rows in _chunks(len(sequences)):
        words = words_of(sequences[rows], 0, 0)
        yield rows, [_site_odds(words, ppm, sequences.shape[1]) for ppm in matrices]


def _site_odds(words: npt.NDArray[np.uint16], ppm: Matrix, length: int) -> Table:
    """Odds against background of the site at each start, sum over strands, (starts, n)."""
    number = max(length - len(ppm) + 1, 0)
    strands = (ppm, reverse_complement(ppm))
    odds = [np.exp2(sum_sites(words, log_odds(strand), 0, number)) for strand in strands]
    return np.ascontiguousarray((odds[0] + odds[1]).T)


def _log_likelihood(
    matrices: Sequence[Matrix], sites: Sequence[Table], counts: Mapping[int, float], length: int
) -> Table:
    """As `sites_log_likelihood`, of sites' odds summed over strands."""
    odds = [one / (2 * len(matrices)) for one in sites]
    return sites_log_likelihood([len(ppm) for ppm in matrices], odds, counts, length)


def _place(
    others: Mapping[int, Table], own: Mapping[int, Table], length: int, most: int
) -> tuple[Table, Table]:
    """Summed odds of all ways to place 0, 1, ... motifs, without and with one of `own`.

    Parameters
    ----------
    others, own : mapping of width to (starts, n)
        Odds of the sites, summed over the matrices of that width.
    length : int
    most : int
        Placements of fewer than `most` motifs are summed.

    Returns
    -------
    absent, present : (most, n) float64
    """
    steps = [*others.items(), *own.items()]
    n, last = steps[0][1].shape[1], len(others)
    # few sequences at a time are many short arrays: one of all widths costs a call, not many
    widths = np.array([width for width, _ in steps])
    sites = np.zeros((length + 1, len(steps), 1, n))
    for index, (width, odds) in enumerate(steps):
        if width <= length:
            sites[width:, index, 0] = odds[: length + 1 - width]
    starts = np.maximum(np.arange(length + 1)[:, None] - widths, 0)
    absent, present = np.zeros((2, length + 1, most, n))
    absent[0, 0] = 1.0
    terms = np.zeros((1 + len(steps), most, n))
    for p in range(1, length + 1):
        without = absent[starts[p], :-1]
        terms[0] = absent[p - 1]
        np.multiply(sites[p, :last], without[:last], out=terms[1 : 1 + last, 1:])
        np.add.reduce(terms[: 1 + last], axis=0, out=absent[p])
        if own:
            before = present[starts[p], :-1]
            before[last:] += without[last:]
            terms[0] = present[p - 1]
            np.multiply(sites[p], before, out=terms[1:, 1:])
            np.add.reduce(terms, axis=0, out=present[p])
    return absent[length], present[length]


def _placement_weights(widths: Sequence[int], counts: Mapping[int, float], length: int) -> Table:
    """Probability of each number of motifs over the number of placements, (most + 1,)."""
    width = float(np.mean(widths))
    weights = np.zeros(max(counts) + 1)
    for number, share in counts.items():
        room = max(length - number * width, 0.0)
        ways = math.lgamma(room + number + 1) - math.lgamma(number + 1) - math.lgamma(room + 1)
        weights[number] = share * math.exp(-ways)
    return weights
