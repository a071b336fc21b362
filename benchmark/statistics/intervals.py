"""Means over trials with bootstrap intervals and coverage.

The intervals are t intervals with a bootstrap standard error (Hesterberg, "What Teachers Should
Know About the Bootstrap", The American Statistician 69 (2015)): with the three to ten
trials that a network gets, percentile intervals are far too narrow (at three trials they cannot
reach beyond the sample itself), and this form keeps its level. A bootstrap variance over n units is
too small by (n - 1) / n and is corrected for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over trials that says how many it covers.

    Attributes
    ----------
    mean : float
        nan where no trial has a value.
    sd : float
        Sample SD over trials (``ddof=1``); nan below two trials.
    low, high : float
        Interval of the mean; nan where it cannot be told (one trial and no items).
    level : float
        Nominal coverage of the interval.
    done : int
        Trials with a value.
    expected : int
        Trials that there should be; failed and missing ones are the difference.
    """

    mean: float
    sd: float
    low: float
    high: float
    level: float
    done: int
    expected: int

    @property
    def complete(self) -> bool:
        """Whether every expected trial has a value."""
        return self.done >= self.expected

    @property
    def coverage(self) -> str:
        """Trials done of trials expected, as in ``9/10``."""
        return f"{self.done}/{self.expected}"


def trial_interval(
    mean: ArrayLike,
    sd: ArrayLike,
    n: ArrayLike,
    level: float = LEVEL,
    bounds: tuple[ArrayLike, ArrayLike] = (-np.inf, np.inf),
) -> tuple[Floats, Floats]:
    """Interval of a mean over trials, for any number of cells at once.

    Resampling trials has a known limit for a mean: its variance is ``sd**2 (n - 1) / n**2``, so
    no random number is drawn. With the correction for n this is Student's interval.

    Parameters
    ----------
    mean, sd : array_like (cells,)
        Mean and sample SD (``ddof=1``) over trials.
    n : array_like of int (cells,)
        Number of trials.
    level : float
        Nominal coverage, between 0 and 1.
    bounds : pair of array_like
        Smallest and largest possible value; the interval is cut there.

    Returns
    -------
    low, high : ndarray (cells,) float64
        nan where ``n`` is below 2.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.
    """
    _check_level(level)
    number = np.asarray(n, dtype=float)
    counted = np.where(number >= 2, number, np.nan)
    half = stats.t.ppf((1 + level) / 2, counted - 1) * np.asarray(sd, float) / np.sqrt(counted)
    centre = np.asarray(mean, dtype=float)
    return _cut(centre - half, bounds), _cut(centre + half, bounds)


def estimate(
    values: ArrayLike,
    expected: int | None = None,
    *,
    level: float = LEVEL,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Mean, SD and interval over trials.

    Parameters
    ----------
    values : array_like (trials,)
        One value a trial; nan or infinite where a trial failed or the metric is undefined.
    expected : int, optional
        Trials that there should be; default: the number of values.
    level : float
        Nominal coverage of the interval.
    bounds : pair of float
        Smallest and largest possible value.

    Returns
    -------
    Estimate
    """
    given = np.asarray(values, dtype=float).ravel()
    kept = given[np.isfinite(given)]
    mean = float(kept.mean()) if len(kept) else np.nan
    sd = float(kept.std(ddof=1)) if len(kept) > 1 else np.nan
    low, high = trial_interval(mean, sd, len(kept), level, bounds)
    wanted = max(len(given), expected or 0)
    return Estimate(mean, sd, float(low), float(high), level, len(kept), wanted)


def estimate_over_items(
    values: ArrayLike | Sequence[ArrayLike],
    expected: int | None = None,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Mean over trials x sequences, with an interval that counts both as drawn at random.

    Every trial is scored on the same sequences, so trials and sequences are crossed, not nested.
    Each factor is resampled while the other is held (Owen, "The pigeonhole bootstrap", Annals of
    Applied Statistics 1 (2007), discusses the crossed case), each variance is corrected for its
    number of units, and their sum is the squared standard error; it counts the interaction twice
    and so errs on the wide side. Degrees of freedom are Satterthwaite's. With one trial only the
    sequences vary: the interval is of that one network.

    Parameters
    ----------
    values : array_like (trials, sequences)
        nan where a score is undefined; a trial without any value counts as not done.
    expected : int, optional
        Trials that there should be; default: the number of rows.
    level : float
        Nominal coverage of the interval.
    resamples : int
        Bootstrap resamples of each factor.
    seed : int
        Of the generator: equal input gives equal intervals.
    bounds : pair of float
        Smallest and largest possible value.

    Returns
    -------
    Estimate
        ``mean`` is the mean over trials of each trial's mean over its sequences.

    Raises
    ------
    ValueError
        If ``values`` is not two-dimensional or ``level`` is not between 0 and 1.
    """
    _check_level(level)
    table = np.asarray(values, dtype=float)
    if table.ndim != 2:
        raise ValueError(f"values have {table.ndim} dimension(s); give (trials, sequences)")
    wanted = max(len(table), expected or 0)
    defined = np.isfinite(table)
    table, defined = table[defined.any(axis=1)], defined[defined.any(axis=1)]
    done = len(table)
    if not done:
        return Estimate(np.nan, np.nan, np.nan, np.nan, level, 0, wanted)
    filled = np.where(defined, table, 0.0)
    means = filled.sum(axis=1) / defined.sum(axis=1)
    mean = float(means.mean())
    sd = float(means.std(ddof=1)) if done > 1 else np.nan
    rng = np.random.default_rng(seed)
    parts = []
    if done > 1:
        draws = rng.integers(0, done, (resamples, done))
        parts.append((float(means[draws].mean(axis=1).var()) * done / (done - 1), done - 1))
    used = np.flatnonzero(defined.any(axis=0))
    if len(used) > 1:
        over = _sequence_variance(filled[:, used], defined[:, used], resamples, rng)
        parts.append((over * len(used) / (len(used) - 1), len(used) - 1))
    total = sum(variance for variance, _ in parts)
    low = high = np.nan
    if parts:
        squares = sum(variance**2 / freedom for variance, freedom in parts)
        freedom = total**2 / squares if squares > 0 else max(f for _, f in parts)
        half = float(stats.t.ppf((1 + level) / 2, freedom)) * float(np.sqrt(total))
        low, high = (float(_cut(np.asarray(mean + s * half), bounds)) for s in (-1, 1))
    return Estimate(mean, sd, low, high, level, done, wanted)


def _sequence_variance(
    filled: Floats, defined: NDArray[np.bool_], resamples: int, rng: np.random.Generator
) -> float:
    """Variance of the mean over trials when the sequences are drawn again, trials held."""
    number = filled.shape[1]
    results = []
    # in blocks, so that memory does not grow with the number of resamples
    for start in range(0, resamples, 250):
        size = min(250, resamples - start)
        weights = rng.multinomial(number, np.full(number, 1 / number), size=size).astype(float)
        sums, counts = weights @ filled.T, weights @ defined.T.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            results.append(np.nanmean(sums / counts, axis=1))
    return float(np.nanvar(np.concatenate(results)))


def _cut(values: Floats, bounds: tuple[ArrayLike, ArrayLike]) -> Floats:
    cut: Floats = np.clip(values, bounds[0], bounds[1])
    return cut


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level {level!r} is not between 0 and 1")
