"""Scanning with the true motifs: the reference that a network can be held against.

A letter's log-odds against a uniform background is log2(p / 0.25 + 1e-10) bits, as in the study.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motifidelity.metrics.motifs.pwm import (
    Codes,
    Matrix,
    Scan,
    checked_motifs,
    log_odds,
    reverse_complement,
    sum_sites,
    words_of,
)


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
    motifs = checked_motifs(ppms)
    if both_strands:
        motifs = motifs + [reverse_complement(ppm) for ppm in motifs]
    length = sequences.shape[1]
    widest = max(len(ppm) for ppm in motifs)
    left = widest // 2
    words = words_of(sequences, left, widest - left)
    best = np.full(sequences.shape, -np.inf)
    for ppm in motifs:
        # Shifted so that this motif's own centre, not the widest one's, is the position.
        np.maximum(best, sum_sites(words, log_odds(ppm), left - len(ppm) // 2, length), out=best)
    return best
