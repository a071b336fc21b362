"""Interpretability at matched accuracy: a network should not look better for predicting worse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matched:
    """A score beside accuracy, one entry a model.

    Attributes
    ----------
    front : ndarray (models,) bool
        On the Pareto front: no other model is at least as good in both and better in one.
    adjusted : ndarray (models,) float64
        The score less what a straight line through all models expects at this accuracy, in units
        of the score; nan where it cannot be told.
    adjusted_rank : ndarray (models,) float64
        The same of ranks (1 worst): how many places a model is above what its accuracy's place
        expects. Robust to one model far off.
    slope : float
        Of the line, in units of the score per unit of accuracy; nan where there is none.
    correlation : float
        Spearman's, of score and accuracy; nan where there is none.
    """

    front: NDArray[np.bool_]
    adjusted: Floats
    adjusted_rank: Floats
    slope: float
    correlation: float


def pareto_front(
    accuracy: ArrayLike, score: ArrayLike, *, higher: bool = True
) -> NDArray[np.bool_]:
    """Models that no other model dominates.

    Parameters
    ----------
    accuracy : array_like (models,)
        Higher is better.
    score : array_like (models,)
    higher : bool
        Whether a higher score is better.

    Returns
    -------
    ndarray (models,) bool
        False where either value is nan. Models that are equal in both are on it together.
    """
    x = np.asarray(accuracy, dtype=float)
    y = np.asarray(score, dtype=float) * (1.0 if higher else -1.0)
    known = np.isfinite(x) & np.isfinite(y)
    no_worse = (x[:, None] >= x) & (y[:, None] >= y)
    better = (x[:, None] > x) | (y[:, None] > y)
    front: NDArray[np.bool_] = known & ~(no_worse & better & known[:, None]).any(axis=0)
    return front


def at_matched_accuracy(accuracy: ArrayLike, score: ArrayLike, *, higher: bool = True) -> Matched:
    """A score as it stands once accuracy is accounted for.

    The residual of a least-squares line of the score on accuracy over all models given, and the
    residual of the same line through their ranks, whose correlation with a third quantity is the
    partial rank correlation given accuracy. Where every accuracy is the same the residual is the
    deviation from the mean.

    Parameters
    ----------
    accuracy, score : array_like (models,)
        nan where a model has no value; it is left out of the line.
    higher : bool
        Whether a higher score is better; decides the front and the direction of the ranks alone.

    Returns
    -------
    Matched
        Adjusted values are nan with fewer than three models: a line through two explains all.
    """
    x, y = np.asarray(accuracy, dtype=float), np.asarray(score, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    adjusted, ranks = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    slope = correlation = np.nan
    if known.sum() >= 3:
        signed = y[known] * (1.0 if higher else -1.0)
        adjusted[known], slope = _residuals(x[known], y[known])
        ranked = stats.rankdata(x[known]), stats.rankdata(signed)
        ranks[known], _ = _residuals(*ranked)
        if np.ptp(x[known]) > 0 and np.ptp(y[known]) > 0:
            correlation = float(stats.spearmanr(x[known], y[known]).statistic)
    return Matched(pareto_front(x, y, higher=higher), adjusted, ranks, slope, correlation)


def _residuals(x: Floats, y: Floats) -> tuple[Floats, float]:
    if np.ptp(x) == 0:
        return y - y.mean(), np.nan
    line = stats.linregress(x, y)
    return y - (line.intercept + line.slope * x), float(line.slope)
