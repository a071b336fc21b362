"""Pairwise comparison of models over trials, with control of the number of comparisons."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
Values = Mapping[int, float]
Kind = Literal["t", "rank"]
MIN_PAIRS = 3


@dataclass(frozen=True)
class Comparison:
    """Two models beside each other on one score.

    Attributes
    ----------
    first, second : str
    test : str
        ``paired t``, ``Welch t``, ``Wilcoxon signed-rank``, ``Mann-Whitney U``, ``sign flips`` or
        ``permutation`` (exact, where no trial differs from another of its model), or ``none``
        where a model has fewer than two trials.
    num_first, num_second : int
        Trials that entered; equal to the number of pairs in a paired test.
    difference : float
        Mean of the first less mean of the second over those trials.
    low, high : float
        95% interval of the difference, not adjusted for the number of comparisons; nan for a test
        by ranks or without a spread.
    p : float
        Two-sided; nan where there is no test.
    p_adjusted : float
        By Holm's method over all comparisons made together.
    """

    first: str
    second: str
    test: str
    num_first: int
    num_second: int
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float


def holm(p_values: ArrayLike) -> Floats:
    """P-values adjusted for their number (Holm, Scandinavian Journal of Statistics 6 (1979)).

    Parameters
    ----------
    p_values : array_like (n,)
        nan is passed through and not counted.

    Returns
    -------
    ndarray (n,) float64
        Refusing those below ``alpha`` keeps the chance of any false refusal below ``alpha``.
    """
    given = np.asarray(p_values, dtype=float)
    adjusted = np.full(given.shape, np.nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def compare_models(models: Mapping[str, Values], kind: Kind = "t") -> list[Comparison]:
    """Compare every pair of models, adjusted together.

    Parameters
    ----------
    models : mapping of str to mapping of int to float
        For each model, the score of each trial by its seed; nan where a trial failed.
    kind : {"t", "rank"}
        Tests of means, or of ranks.

    Returns
    -------
    list of Comparison
        In the order of ``itertools.combinations`` over the names as given.
    """
    found = [
        compare_pair(first, models[first], second, models[second], kind)
        for first, second in itertools.combinations(models, 2)
    ]
    adjusted = holm([comparison.p for comparison in found])
    return [replace(c, p_adjusted=float(p)) for c, p in zip(found, adjusted, strict=True)]


def compare_pair(
    first: str, values: Values, second: str, others: Values, kind: Kind = "t"
) -> Comparison:
    """Compare two models on one score.

    Trials pair by seed when every seed of the model with fewer trials is among the other's and
    there are at least three: paired t test, or Wilcoxon's signed ranks. Otherwise Welch's t test,
    or Mann and Whitney's U. Where the differences (or both models' values) do not vary at all a t
    test would claim certainty from nothing; the exact permutation p-value stands instead.

    Parameters
    ----------
    first, second : str
        Names.
    values, others : mapping of int to float
        Score by seed; nan where a trial failed.
    kind : {"t", "rank"}

    Returns
    -------
    Comparison
        ``p_adjusted`` equals ``p``.
    """
    one = {seed: float(v) for seed, v in values.items() if math.isfinite(v)}
    two = {seed: float(v) for seed, v in others.items() if math.isfinite(v)}
    common = sorted(one.keys() & two.keys())
    paired = len(common) == min(len(one), len(two)) and len(common) >= MIN_PAIRS
    x = np.array([one[s] for s in common] if paired else list(one.values()))
    y = np.array([two[s] for s in common] if paired else list(two.values()))
    difference = float(x.mean() - y.mean()) if len(x) and len(y) else math.nan
    if min(len(x), len(y)) < 2:
        test, p, low, high = "none", math.nan, math.nan, math.nan
    elif paired:
        test, p, low, high = _paired(x - y, kind)
    else:
        test, p, low, high = _unpaired(x, y, kind)
    return Comparison(first, second, test, len(x), len(y), difference, low, high, p, p)


def _paired(differences: Floats, kind: Kind) -> tuple[str, float, float, float]:
    if _constant(differences):
        n = len(differences)
        return "sign flips", 1.0 if _zero(differences) else 2.0 / 2**n, math.nan, math.nan
    if kind == "rank":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy's, of ties in a small sample
            p = stats.wilcoxon(differences, zero_method="pratt").pvalue
        return "Wilcoxon signed-rank", float(p), math.nan, math.nan
    result = stats.ttest_1samp(differences, 0.0)
    interval = result.confidence_interval(0.95)
    return "paired t", float(result.pvalue), float(interval.low), float(interval.high)


def _unpaired(x: Floats, y: Floats, kind: Kind) -> tuple[str, float, float, float]:
    if _constant(x) and _constant(y):
        same = _zero(np.array([x[0] - y[0]]))
        # with equal groups the mirrored assignment is as extreme
        sides = 2.0 if len(x) == len(y) else 1.0
        p = 1.0 if same else sides / math.comb(len(x) + len(y), len(x))
        return "permutation", p, math.nan, math.nan
    if kind == "rank":
        p = stats.mannwhitneyu(x, y, alternative="two-sided").pvalue
        return "Mann-Whitney U", float(p), math.nan, math.nan
    # a shift of both groups leaves the test as it is, and about zero a constant one loses no digits
    origin = x[0] if _constant(x) else y[0] if _constant(y) else 0.0
    result = stats.ttest_ind(x - origin, y - origin, equal_var=False)
    interval = result.confidence_interval(0.95)
    return "Welch t", float(result.pvalue), float(interval.low), float(interval.high)


def _constant(values: Floats) -> bool:
    """Whether values differ by rounding alone."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))


def _zero(values: Floats) -> bool:
    return bool((np.abs(values) <= 1e-12).all())
