"""Log-odds matrices (PWMs) of motifs and the log-odds of every site of one.

A letter's log-odds against a uniform background is log2(p / 0.25 + 1e-10) bits, as in the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.floating]
Scan = npt.NDArray[np.float64]


def log_odds(ppm: Matrix) -> Scan:
    """log2(p / 0.25 + 1e-10), (w, 4) float64 in bits, from about -33 to 2."""
    pwm: Scan = np.log2(np.asarray(ppm, dtype=np.float64) / 0.25 + 1e-10)
    return pwm


def reverse_complement(ppm: Matrix) -> Matrix:
    """The (w, 4) matrix of the other strand."""
    return ppm[::-1, ::-1]


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
    (matrix,) = checked_motifs([ppm])
    num_starts = max(sequences.shape[1] - len(matrix) + 1, 0)
    return sum_sites(words_of(sequences, 0, 0), log_odds(matrix), 0, num_starts)


def words_of(sequences: Codes, left: int, right: int) -> npt.NDArray[np.uint16]:
    """Number of the 4-letter word at each position, (n, left + L + right), padded by code 4.

    One look-up per four columns instead of one per column; code 4 scores zero.
    """
    padded = np.pad(sequences, ((0, 0), (left, right + 3)), constant_values=4).astype(np.uint16)
    words = padded[:, :-3] * np.uint16(125)
    for place, scale in enumerate((25, 5, 1), start=1):
        words += padded[:, place : place + words.shape[1]] * np.uint16(scale)
    return words


def sum_sites(words: npt.NDArray[np.uint16], pwm: Scan, first: int, number: int) -> Scan:
    """Sum of `pwm` (w, 4) over the site at first, first + 1, ...; (n, number) float64."""
    total = np.zeros((len(words), number))
    for index, table in enumerate(_tables(np.asarray(pwm, np.float64).tobytes())):
        total += table[words[:, first + 4 * index : first + 4 * index + number]]
    return total


@lru_cache(maxsize=512)
def _tables(pwm: bytes) -> list[Scan]:
    """What each word adds, of every four columns of a float64 matrix."""
    weights = np.frombuffer(pwm).reshape(-1, 4)
    columns = np.zeros((-(-len(weights) // 4) * 4, 5))
    columns[: len(weights), :4] = weights
    return [
        (a[:, None, None, None] + b[:, None, None] + c[:, None] + d).ravel()  # (5, 5, 5, 5)
        for a, b, c, d in columns.reshape(-1, 4, 5)
    ]


def checked_motifs(ppms: Sequence[Matrix]) -> list[Matrix]:
    """The motifs as a list; `ValueError` if there is none or one is not (w, 4)."""
    if not len(ppms):
        raise ValueError("no motif to scan with; give at least one (w, 4) matrix")
    matrices = [np.asarray(ppm) for ppm in ppms]
    for index, ppm in enumerate(matrices):
        if ppm.ndim != 2 or ppm.shape[1] != 4 or not len(ppm):
            raise ValueError(f"motif {index} has shape {ppm.shape}; it must be (w, 4)")
    return matrices
