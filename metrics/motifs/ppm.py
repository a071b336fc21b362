"""From the sites that a filter answers to, to its position-probability matrix (PPM)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

NUM_LETTERS = 4
_CHUNK_ELEMENTS = 4_000_000


def site_counts(
    above_half_max: npt.NDArray[np.uint8], num_filters: int, sequences: Codes, window: int = 20
) -> tuple[Counts, Counts]:
    """Count letters around every position where a filter is above half of its maximum.

    Parameters
    ----------
    above_half_max : (n, L, ceil(F/8)) uint8
        ``np.packbits(mask, axis=-1)`` of the mask (n, L, F): activation > 0.5 x the filter's
        maximum over all test sequences and positions.
    num_filters : int
        F.
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    window : int
        Width of the aligned window in bases: position - window//2 up to, not including, that
        start + window.

    Returns
    -------
    counts : (F, window, 4) int64
        Letters at each offset, summed over a filter's sites.
    num_sites : (F,) int64
        Sites counted. As in the study, a window is dropped when its start is <= 0 or its end is
        >= L, so a window that fits exactly at either edge is dropped too.

    Raises
    ------
    ValueError
        If the shapes disagree or a code is above 3.

    Notes
    -----
    The study's rule (Koo & Ploenzke 2021, section on filter motifs). All windows of a block of
    sequences are one matrix product, so the cost does not depend on how many sites there are.
    """
    sequences = _checked_codes(sequences)
    n, length = sequences.shape
    expected = (n, length, -(-num_filters // 8))
    if above_half_max.shape != expected:
        raise ValueError(
            f"above_half_max {above_half_max.shape} must be {expected} for {num_filters} filters "
            f"on sequences {sequences.shape}"
        )
    counts = np.zeros((num_filters, window * NUM_LETTERS), np.int64)
    num_sites = np.zeros(num_filters, np.int64)
    num_starts = length - window - 1
    if num_filters == 0 or num_starts < 1:
        return counts.reshape(num_filters, window, NUM_LETTERS), num_sites

    first = 1 + window // 2
    one_hot = np.eye(NUM_LETTERS, dtype=np.float32)
    # A block's sums stay far below 2**24, so float32 counts exactly.
    step = max(1, _CHUNK_ELEMENTS // (num_starts * window * NUM_LETTERS))
    for begin in range(0, n, step):
        block = slice(begin, begin + step)
        packed = above_half_max[block, first : first + num_starts]
        mask = np.unpackbits(packed, axis=-1, count=num_filters).reshape(-1, num_filters)
        letters = one_hot[sequences[block]].reshape(-1, length * NUM_LETTERS)
        windows = np.lib.stride_tricks.sliding_window_view(letters, window * NUM_LETTERS, axis=1)
        windows = windows[:, NUM_LETTERS : (num_starts + 1) * NUM_LETTERS : NUM_LETTERS]
        counts += (mask.astype(np.float32).T @ windows.reshape(-1, window * NUM_LETTERS)).astype(
            np.int64
        )
        num_sites += mask.sum(axis=0, dtype=np.int64)
    return counts.reshape(num_filters, window, NUM_LETTERS), num_sites


def top_site_counts(
    top_sites: npt.NDArray[np.integer], sequences: Codes, window: int = 20
) -> tuple[Counts, Counts]:
    """Count letters around the sites that a filter answers to most.

    Parameters
    ----------
    top_sites : (F, K, 2) int
        (sequence index, position) per site; a row of -1 means no site.
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    window : int
        Width in bases; the window starts at position - window//2.

    Returns
    -------
    counts : (F, window, 4) int64
    num_sites : (F,) int64

    Raises
    ------
    ValueError
        If a sequence index does not exist or a window does not lie inside its sequence.
    """
    sequences = _checked_codes(sequences)
    sites = np.asarray(top_sites)
    if sites.ndim != 3 or sites.shape[2] != 2:
        raise ValueError(f"top_sites {sites.shape} must be (F, K, 2)")
    present = (sites >= 0).any(axis=2)
    index = sites[..., 0]
    start = sites[..., 1] - window // 2
    inside = (index >= 0) & (index < len(sequences))
    inside &= (start >= 0) & (start + window <= sequences.shape[1])
    if not inside[present].all():
        filter_, rank = np.argwhere(present & ~inside)[0]
        raise ValueError(
            f"top_sites[{filter_}, {rank}] = {sites[filter_, rank].tolist()} has no whole "
            f"{window}-base window in sequences {sequences.shape}"
        )
    num_filters = len(sites)
    which, rank = np.nonzero(present)
    offsets = np.arange(window)
    codes = sequences[index[which, rank][:, None], start[which, rank][:, None] + offsets].astype(
        np.int64
    )
    cells = (which[:, None] * window + offsets) * NUM_LETTERS + codes
    counts = np.bincount(cells.ravel(), minlength=num_filters * window * NUM_LETTERS)
    return (
        counts.reshape(num_filters, window, NUM_LETTERS).astype(np.int64),
        present.sum(axis=1, dtype=np.int64),
    )


def to_ppm(counts: npt.ArrayLike, pseudocount: float = 0.0) -> Matrix:
    """Turn letter counts into probabilities.

    Parameters
    ----------
    counts : (..., w, 4) int or float
        Letters A C G T at each column.
    pseudocount : float
        Added to the count of each letter (so 0.25 adds one site of uniform background).

    Returns
    -------
    (..., w, 4) float64
        Columns sum to 1; a column with no count at all is uniform.

    Raises
    ------
    ValueError
        If a count or the pseudocount is negative.
    """
    filled = np.asarray(counts, dtype=np.float64) + pseudocount
    if pseudocount < 0 or (filled < 0).any():
        raise ValueError("counts and pseudocount must not be negative")
    totals = filled.sum(axis=-1, keepdims=True)
    ppm: Matrix = np.full(filled.shape, 1.0 / NUM_LETTERS)
    np.divide(filled, totals, out=ppm, where=totals > 0)
    return ppm


def information_content(ppm: npt.ArrayLike) -> Matrix:
    """Information of each column against a uniform background.

    Parameters
    ----------
    ppm : (..., w, 4) float
        Probabilities of A C G T.

    Returns
    -------
    (..., w) float64
        2 + sum p log2 p in bits, from 0 (uniform) to 2 (one letter), with 0 log2 0 = 0.

    Notes
    -----
    Schneider & Stephens, Nucleic Acids Res. 18, 6097-6100 (1990), without the small-sample term.
    """
    p = np.asarray(ppm, dtype=np.float64)
    logs = np.log2(p, out=np.zeros_like(p), where=p > 0)
    information: Matrix = 2.0 + (p * logs).sum(axis=-1)
    return np.maximum(information, 0.0)


def trim(ppm: npt.ArrayLike, threshold: float = 0.5, pad: int = 3) -> Matrix:
    """Cut the uninformative flanks off a PPM.

    Parameters
    ----------
    ppm : (w, 4) float
    threshold : float
        Bits; the first and the last column above it bound what is kept.
    pad : int
        Columns kept beyond each of the two, as far as there are any.

    Returns
    -------
    (w', 4) float64
        The whole PPM when no column is above the threshold.

    Notes
    -----
    Koo & Ploenzke (2021).
    """
    matrix = np.asarray(ppm, dtype=np.float64)
    columns = np.flatnonzero(information_content(matrix) > threshold)
    if not columns.size:
        return matrix
    return matrix[max(int(columns[0]) - pad, 0) : int(columns[-1]) + pad + 1]


def _checked_codes(sequences: Codes) -> Codes:
    codes = np.asarray(sequences)
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise ValueError(f"sequences must be (n, L) uint8, not {codes.dtype} {codes.shape}")
    if codes.size and codes.max() >= NUM_LETTERS:
        raise ValueError(f"sequences hold code {codes.max()}; letters are A=0 C=1 G=2 T=3")
    return codes
