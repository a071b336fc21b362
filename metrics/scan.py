"""Scanning with the true motifs: the reference that a network can be held against.

A letter's log-odds against a uniform background is log2(p / 0.25 + 1e-10) bits, as in the study.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .ppm import information_content

Codes = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.floating]
Scan = npt.NDArray[np.float64]

_ROUNDING = 1e-6
_TRUTH_BITS = 0.01
"""A column counts as implanted truth above this information (the study's threshold)."""


def pwm_scan(sequences: Codes, ppms: Sequence[Matrix], *, both_strands: bool = True) -> Scan:
    """Best log-odds of any motif centred at each position: the study's reference scan.

    Parameters
    ----------
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    ppms : sequence of (w, 4) float
        Probabilities of A C G T; widths may differ.
    both_strands : bool
        Scan with the reverse complements too. False when they are in the list already.

    Returns
    -------
    (n, L) float64
        Bits. A motif of width w at position p covers p - w//2 up to, not including, that + w;
        columns that hang over an edge add nothing (zero padding), so partial sites count.

    Raises
    ------
    ValueError
        If there is no motif, or one is not (w, 4).

    Notes
    -----
    Koo & Ploenzke (2021).
    """
    motifs = _checked(ppms)
    if both_strands:
        motifs = motifs + [reverse_complement(ppm) for ppm in motifs]
    length = sequences.shape[1]
    widest = max(len(ppm) for ppm in motifs)
    left = widest // 2
    words = _words(sequences, left, widest - left)
    best = np.full(sequences.shape, -np.inf)
    for ppm in motifs:
        # Shifted so that this motif's own centre, not the widest one's, is the position.
        np.maximum(best, _sums(words, log_odds(ppm), left - len(ppm) // 2, length), out=best)
    return best


def site_log_odds(sequences: Codes, ppm: Matrix) -> Scan:
    """Log-odds of every whole site of one motif, on the strand given.

    Parameters
    ----------
    sequences : (n, L) uint8
    ppm : (w, 4) float
        Pass `reverse_complement(ppm)` for the other strand.

    Returns
    -------
    (n, max(L - w + 1, 0)) float64
        Bits, by the start of the site.
    """
    (matrix,) = _checked([ppm])
    num_starts = max(sequences.shape[1] - len(matrix) + 1, 0)
    return _sums(_words(sequences, 0, 0), log_odds(matrix), 0, num_starts)


def best_site_per_base(
    sequences: Codes, ppms: Sequence[Matrix], *, both_strands: bool = True
) -> Scan:
    """Best log-odds of any whole site that covers each base: an oracle attribution map.

    Parameters
    ----------
    sequences : (n, L) uint8
    ppms : sequence of (w, 4) float
    both_strands : bool
        As in `pwm_scan`.

    Returns
    -------
    (n, L) float64
        Bits; -inf where every motif is wider than the sequence.

    Raises
    ------
    ValueError
        If there is no motif, or one is not (w, 4).
    """
    motifs = _checked(ppms)
    if both_strands:
        motifs = motifs + [reverse_complement(ppm) for ppm in motifs]
    words = _words(sequences, 0, 0)
    n, length = sequences.shape
    best = np.full((n, length), -np.inf)
    for ppm in motifs:
        width = len(ppm)
        if width <= length:
            sites = _sums(words, log_odds(ppm), 0, length - width + 1)
            np.maximum(best, _spread_max(sites, width), out=best)
    return best


def chance_mask(
    sequences: Codes,
    implants: npt.ArrayLike,
    motifs: Sequence[Matrix],
    *,
    truth: npt.ArrayLike | None = None,
    percentile: float = 10.0,
) -> npt.NDArray[np.bool_]:
    """Bases of sites that arose by chance and are as strong as implanted ones.

    Parameters
    ----------
    sequences : (n, L) uint8
    implants : (k, 4) int
        One row per implanted motif: sequence, index in `motifs`, start, strand (0 as given, 1
        reverse complement). A negative motif index is an implant of something else; it is ignored.
    motifs : sequence of (w, 4) float
        PPMs on their forward strand.
    truth : (n, L) uint8, optional
        Implanted bases; never masked. Default: the columns of `implants` above 0.01 bit.
    percentile : float
        A site counts when its log-odds reach this percentile of the implanted log-odds of its
        motif.

    Returns
    -------
    (n, L) bool
        Bases of unplanned sites on either strand. A motif that was never implanted has no
        threshold and masks nothing.

    Raises
    ------
    ValueError
        If an implant names a motif, sequence, strand or span that does not exist.

    Notes
    -----
    Our correction: a random 200-base sequence holds a site as strong as an implanted Arid3a about
    one time in five, and a network that finds it is not wrong.
    """
    matrices = _checked(motifs) if len(motifs) else []
    rows = _checked_implants(implants, sequences.shape, [len(ppm) for ppm in matrices])
    words = _words(sequences, 0, 0)
    n, length = sequences.shape
    change = np.zeros((n, length + 1), np.int32)
    for index, ppm in enumerate(matrices):
        planted = rows[rows[:, 1] == index]
        if not len(planted):
            continue
        width = len(ppm)
        sites = np.stack(
            [
                _sums(words, log_odds(strand), 0, length - width + 1)
                for strand in (ppm, reverse_complement(ppm))
            ]
        )
        where = (planted[:, 3], planted[:, 0], planted[:, 2])
        # Both strands sum the same columns, in opposite orders: equal sites differ by rounding.
        hits = sites >= np.percentile(sites[where], percentile) - _ROUNDING
        hits[where] = False
        covered = hits.sum(axis=0, dtype=np.int32)
        change[:, : length - width + 1] += covered
        change[:, width:] -= covered
    mask: npt.NDArray[np.bool_] = np.cumsum(change[:, :length], axis=1) > 0
    if truth is None:
        protected = _implanted_bases(rows, matrices, (n, length))
    else:
        protected = np.asarray(truth).astype(bool)
    if protected.shape != mask.shape:
        raise ValueError(f"truth {protected.shape} must have the shape of sequences {mask.shape}")
    mask[protected] = False
    return mask


def log_odds(ppm: Matrix) -> Scan:
    """log2(p / 0.25 + 1e-10), (w, 4) float64 in bits, from about -33 to 2."""
    pwm: Scan = np.log2(np.asarray(ppm, dtype=np.float64) / 0.25 + 1e-10)
    return pwm


def reverse_complement(ppm: Matrix) -> Matrix:
    """The (w, 4) matrix of the other strand."""
    return ppm[::-1, ::-1]


def _words(sequences: Codes, left: int, right: int) -> npt.NDArray[np.uint16]:
    """Number of the 4-letter word at each position, (n, left + L + right), padded by code 4.

    One look-up per four columns instead of one per column; code 4 scores zero.
    """
    padded = np.pad(sequences, ((0, 0), (left, right + 3)), constant_values=4).astype(np.uint16)
    words = padded[:, :-3] * np.uint16(125)
    for place, scale in enumerate((25, 5, 1), start=1):
        words += padded[:, place : place + words.shape[1]] * np.uint16(scale)
    return words


def _sums(words: npt.NDArray[np.uint16], pwm: Scan, first: int, number: int) -> Scan:
    """Sum of `pwm` (w, 4) over the site at first, first + 1, ...; (n, number) float64."""
    width = len(pwm)
    columns = np.zeros((-(-width // 4) * 4, 5))
    columns[:width, :4] = pwm
    total = np.zeros((len(words), number))
    for k in range(0, width, 4):
        a, b, c, d = columns[k : k + 4]
        table = (
            a[:, None, None, None] + b[:, None, None] + c[:, None] + d  # (5, 5, 5, 5)
        ).ravel()
        total += table[words[:, first + k : first + k + number]]
    return total


def _spread_max(sites: Scan, width: int) -> Scan:
    """Maximum over the sites that cover each base: (n, S) by start to (n, S + width - 1)."""
    edge = ((0, 0), (width - 1, width - 1))
    best = np.pad(sites, edge, constant_values=-np.inf)
    reach = 1
    while reach < width:
        step = min(reach, width - reach)
        best = np.maximum(best[:, step:], best[:, :-step])
        reach += step
    return best


def _implanted_bases(
    rows: npt.NDArray[np.int64], motifs: Sequence[Matrix], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    bases = np.zeros(shape, bool)
    for index, ppm in enumerate(motifs):
        informative = information_content(ppm) > _TRUTH_BITS
        for strand, columns in enumerate((informative, informative[::-1])):
            here = rows[(rows[:, 1] == index) & (rows[:, 3] == strand)]
            bases[here[:, :1], here[:, 2:3] + np.flatnonzero(columns)] = True
    return bases


def _checked(ppms: Sequence[Matrix]) -> list[Matrix]:
    if not len(ppms):
        raise ValueError("no motif to scan with; give at least one (w, 4) matrix")
    matrices = [np.asarray(ppm) for ppm in ppms]
    for index, ppm in enumerate(matrices):
        if ppm.ndim != 2 or ppm.shape[1] != 4 or not len(ppm):
            raise ValueError(f"motif {index} has shape {ppm.shape}; it must be (w, 4)")
    return matrices


def _checked_implants(
    implants: npt.ArrayLike, shape: tuple[int, ...], widths: Sequence[int]
) -> npt.NDArray[np.int64]:
    rows = np.asarray(implants, dtype=np.int64).reshape(-1, 4)
    rows = rows[rows[:, 1] >= 0]
    sequence, motif, start, strand = rows.T
    good = (sequence >= 0) & (sequence < shape[0]) & (motif < len(widths)) & (start >= 0)
    good &= (strand == 0) | (strand == 1)
    good[good] = (start[good] + np.asarray(widths, np.int64)[motif[good]]) <= shape[1]
    if not good.all():
        bad = rows[~good][0].tolist()
        raise ValueError(
            f"implant {bad} (sequence, motif, start, strand) does not fit {len(widths)} motifs and "
            f"sequences {tuple(shape)}"
        )
    return rows
