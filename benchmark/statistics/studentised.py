"""Tukey's studentised range: its chances and quantiles, in milliseconds.

Scipy's `studentized_range` integrates to full precision, which takes a second a quantile; a board
needs several and a page many. The same double integral (Tukey 1953) by fixed rules keeps four
digits, which tests hold against scipy's.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import interpolate, optimize, special, stats

Floats = NDArray[np.float64]

# of the largest of the normals; of the range; of its divisor, by equal shares of probability
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_LARGEST = 8.5 * _NODES
_RANGES = np.linspace(0.0, 18.0, 721)
_SHARES = (np.arange(2000) + 0.5) / 2000
_WIDEST = 1e4


def range_chance(size: ArrayLike, models: int, freedom: int) -> Floats:
    """Probability of a studentised range of at least this size.

    Parameters
    ----------
    size : array_like
        Largest less smallest of so many normal means, over their estimated standard error.
    models : int
        At least 2.
    freedom : int
        Degrees of freedom of that estimate, at least 1.

    Returns
    -------
    ndarray float64
        Within 1e-4.
    """
    ranges = np.asarray(size, dtype=float)[..., None] * _divisors(freedom)
    ranges = np.minimum(ranges, _RANGES[-1])
    return np.asarray(np.clip(1 - _below(models)(ranges).mean(axis=-1), 0.0, 1.0))


@functools.cache
def range_quantile(chance: float, models: int, freedom: int) -> float:
    """What a studentised range exceeds with this probability; infinite without freedom.

    Parameters
    ----------
    chance : float
    models, freedom : int

    Returns
    -------
    float
    """
    if freedom < 1 or models < 2:
        return np.inf
    return float(
        optimize.brentq(
            lambda size: float(range_chance(size, models, freedom)) - chance, 0.0, _WIDEST
        )
    )


@functools.cache
def _divisors(freedom: int) -> Floats:
    """Estimated standard errors over the true one, one for every share of probability."""
    return np.asarray(np.sqrt(stats.chi2.ppf(_SHARES, freedom) / freedom))


@functools.cache
def _below(models: int) -> interpolate.CubicSpline:
    """Probability that the range of so many standard normals is below a value."""
    density = _WEIGHTS * 8.5 * stats.norm.pdf(_LARGEST)
    inside = special.ndtr(_LARGEST) - special.ndtr(_LARGEST - _RANGES[:, None])
    return interpolate.CubicSpline(_RANGES, models * (inside ** (models - 1)) @ density)
