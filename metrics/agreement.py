"""How alike two maps, or two sets of numbers, are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.methods import Floats


def centred_ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Ranks along the last axis less their mean: their cosine is Spearman's correlation."""
    # declarations of metrics are read without it
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=-1)
    return np.asarray(ranks - ranks.mean(axis=-1, keepdims=True))


def mean_spearman(values: Floats) -> npt.NDArray[np.float64]:
    """Mean over pairs of trials of Spearman's rank correlation.

    Parameters
    ----------
    values : (t, m, L) float

    Returns
    -------
    (m,) float64, in [-1, 1]
        A constant row agrees with nothing: its correlations count as 0.
    """
    return mean_cosine(centred_ranks(values))


def mean_cosine(values: Floats) -> npt.NDArray[np.float64]:
    """Mean over pairs of trials of the cosine.

    Parameters
    ----------
    values : (t, m, d) float

    Returns
    -------
    (m,) float64, in [-1, 1]
        The cosine with a zero vector counts as 0.

    Notes
    -----
    The sum over pairs i < j of u_i . u_j is (|sum u|^2 - sum |u|^2) / 2, so no pair is formed.
    """
    units = unit_vectors(values)
    together = np.square(units.sum(axis=0)).sum(axis=-1)
    alone = np.square(units).sum(axis=(0, -1))
    trials = len(units)
    return np.asarray((together - alone) / (trials * (trials - 1)))


def cosine_with_others(values: Floats) -> npt.NDArray[np.float64]:
    """Mean over the other trials of the cosine with them, for each trial.

    Parameters
    ----------
    values : (t, m, d) float
        At least two trials.

    Returns
    -------
    (t, m) float64, in [-1, 1]
        Its mean over trials is `mean_cosine`.
    """
    units = unit_vectors(values)
    with_all = np.einsum("tmd,md->tm", units, units.sum(axis=0))
    return np.asarray((with_all - np.square(units).sum(axis=-1)) / (len(units) - 1))


def unit_vectors(values: Floats) -> npt.NDArray[np.float64]:
    """Vectors of length one; a zero vector stays zero."""
    vectors = np.asarray(values, np.float64)
    # Scaled by the largest entry first, so that no square over- or underflows.
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
    norms = np.sqrt(np.square(vectors).sum(axis=-1, keepdims=True))
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
