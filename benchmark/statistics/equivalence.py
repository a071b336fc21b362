"""Whether two things are alike: shown by two one-sided tests, never by a difference not found.

Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 657 (1987): two means are alike
within a margin where the interval of level ``1 - 2 size`` of their difference lies within it. A
difference of exactly the margin is then called alike with a probability of at most `SIZE`. Several
are alike together where each pair is, at no smaller size (Berger, Technometrics 24, 295 (1982)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

SIZE = 0.05
# of the distribution of an error, in `power`
_NODES = 2000


def reach(error: ArrayLike, freedom: ArrayLike, size: float = SIZE) -> NDArray[np.float64]:
    """The least margin within which two measured to be equal are shown to be alike.

    Parameters
    ----------
    error : array_like
        Standard error of the difference.
    freedom : array_like
        Its degrees of freedom.
    size : float
        Probability of calling a difference of the margin alike.

    Returns
    -------
    ndarray float64
        Infinite where no freedom is left and the error is not 0.
    """
    wide, number = np.asarray(error, dtype=float), np.asarray(freedom, dtype=float)
    quantile = np.where(number > 0, stats.t.ppf(1 - size, np.maximum(number, 1)), np.inf)
    return np.asarray(np.where(wide > 0, quantile * np.where(wide > 0, wide, 1.0), 0.0))


def alike(
    difference: ArrayLike, error: ArrayLike, freedom: ArrayLike, margin: float, size: float = SIZE
) -> NDArray[np.bool_]:
    """Whether a difference is shown to be smaller than the margin, either way.

    Parameters
    ----------
    difference, error, freedom : array_like
        As measured, its standard error and the degrees of freedom of that.
    margin : float
    size : float

    Returns
    -------
    ndarray bool
    """
    return np.asarray(np.abs(difference) + reach(error, freedom, size) < margin)


def power(
    margin: float, error: float, freedom: int, difference: float = 0.0, size: float = SIZE
) -> float:
    """Probability that two are shown to be alike.

    Parameters
    ----------
    margin : float
    error : float
        True standard error of the difference.
    freedom : int
        Degrees of freedom with which it is estimated.
    difference : float
        True difference.
    size : float

    Returns
    -------
    float
    """
    middles = (np.arange(_NODES) + 0.5) / _NODES
    estimated = error * np.sqrt(stats.chi2.ppf(middles, freedom) / freedom)
    room = np.maximum(margin - reach(estimated, freedom, size), 0.0)
    inside = stats.norm.cdf((room - difference) / error)
    return float(np.mean(inside - stats.norm.cdf((-room - difference) / error)))
