"""Pairwise comparison of models over trials, with control of the number of comparisons."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from motifidelity.statistics.studentised import range_chance
from motifidelity.statistics.two_way import (
    CAUTION,
    LEVEL,
    MIN_TRIALS,
    Layout,
    Values,
    by_model,
    lay_out,
)

Floats = NDArray[np.float64]
Kind = Literal["t", "rank"]
MIN_PAIRS = 3


@dataclass(frozen=True)
class Comparison:
    """Two models beside each other on one score.

    Attributes
    ----------
    first, second : str
    test : str
        ``range, by seed`` or ``range`` (Tukey's, in the layout of all models, with seeds or
        without), ``paired t``, ``Welch t``, ``Wilcoxon signed-rank``, ``Mann-Whitney U``,
        ``sign flips`` or ``permutation`` (exact, where no trial differs from another of its
        model), or ``none``: in a layout where a model is provisional or nothing varies, else where
        one has fewer than two trials.
    num_first, num_second : int
        Trials that entered; equal to the number of pairs in a paired test.
    difference : float
        First less second: effects in the layout, or means over those trials.
    low, high : float
        Interval of the difference: simultaneous in a layout, of this pair alone in another test;
        nan for a test by ranks or without a spread.
    alone_low, alone_high : float
        Interval of the difference of this pair alone, to which `p` belongs; nan likewise.
    p : float
        Two-sided, of this pair alone; nan where there is no test.
    p_adjusted : float
        For all comparisons made together: by the range in a layout, else by Holm's method.
    told : bool
        Whether the two differ, by all comparisons together.
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
    told: bool = False
    alone_low: float = math.nan
    alone_high: float = math.nan


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


def compare_models(
    models: Mapping[str, Values],
    kind: Kind = "t",
    *,
    among: Iterable[str] | None = None,
    level: float = LEVEL,
) -> list[Comparison]:
    """Compare every pair of models, adjusted together.

    Parameters
    ----------
    models : mapping of str to mapping of int to float
        For each model, the score of each trial by its seed; nan where a trial failed.
    kind : {"t", "rank"}
        One layout of all models (`motifidelity.statistics.two_way`), or pair by pair a test of
        ranks with Holm's correction.
    among : iterable of str, optional
        Whose pairs are given; the layout is of all models. Default: all, as given.
    level : float
        Simultaneous level of intervals and of what is told.

    Returns
    -------
    list of Comparison
        In the order of ``itertools.combinations``.
    """
    pairs = list(itertools.combinations(models if among is None else among, 2))
    if kind == "t":
        names, values = by_model(models, MIN_TRIALS)
        return _laid_out(models, pairs, names, lay_out(values), level)
    found = [compare_pair(one, models[one], other, models[other], kind) for one, other in pairs]
    adjusted = holm([comparison.p for comparison in found])
    return [
        replace(c, p_adjusted=float(p), told=bool(p <= 1 - level))
        for c, p in zip(found, adjusted, strict=True)
    ]


def _laid_out(
    models: Mapping[str, Values],
    pairs: Sequence[tuple[str, str]],
    names: Sequence[str],
    layout: Layout,
    level: float,
) -> list[Comparison]:
    place = {name: i for i, name in enumerate(names)}
    half = layout.half_width(level)
    trials = {
        name: [v for v in values.values() if math.isfinite(v)] for name, values in models.items()
    }
    mean = {name: math.fsum(v) / len(v) if v else math.nan for name, v in trials.items()}
    found = []
    for one, other in pairs:
        numbers = len(trials[one]), len(trials[other])
        i, j = place.get(one), place.get(other)
        if i is None or j is None or not math.isfinite(layout.error[i, j]):
            difference, nan = mean[one] - mean[other], math.nan
            found.append(Comparison(one, other, "none", *numbers, difference, nan, nan, nan, nan))
            continue
        difference, width = float(layout.effects[i] - layout.effects[j]), float(half[i, j])
        error, freedom = float(layout.error[i, j]), int(layout.freedom[i, j])
        size = abs(difference) / error if error else math.inf if difference else 0.0
        alone = float(stats.t.isf((1 - level) / 2, freedom)) * error
        found.append(
            Comparison(
                one,
                other,
                "range, by seed" if layout.blocked[i, j] else "range",
                *numbers,
                difference,
                difference - width,
                difference + width,
                float(2 * stats.t.sf(size, freedom)),
                _adjusted(math.sqrt(2) * size, len(names), freedom),
                abs(difference) > width,
                difference - alone,
                difference + alone,
            )
        )
    return found


def _adjusted(size: float, models: int, freedom: int) -> float:
    """The range's p-value, on the scale of the levels at which differences are told."""
    return min(float(range_chance(size, models, freedom)) / CAUTION, 1.0)


def compare_pair(
    first: str, values: Values, second: str, others: Values, kind: Kind = "t"
) -> Comparison:
    """Compare two models on one score by their own values alone.

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
        ``p_adjusted`` equals ``p``; `told` is at 5%.
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
    told = p <= 1 - LEVEL
    return Comparison(
        first, second, test, len(x), len(y), difference, low, high, p, p, told, low, high
    )


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
