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
    """

    front: NDArray[np.bool_]
    adjusted: Floats


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

    The residual of a least-squares line of the score on accuracy over all models given. Where every
    accuracy is the same the residual is the deviation from the mean.

    Parameters
    ----------
    accuracy, score : array_like (models,)
        nan where a model has no value; it is left out of the line.
    higher : bool
        Whether a higher score is better; decides the front alone.

    Returns
    -------
    Matched
        Adjusted values are nan with fewer than three models: a line through two explains all.
    """
    x, y = np.asarray(accuracy, dtype=float), np.asarray(score, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    adjusted = np.full(x.shape, np.nan)
    if known.sum() >= 3:
        adjusted[known] = _residuals(x[known], y[known])
    return Matched(pareto_front(x, y, higher=higher), adjusted)


def _residuals(x: Floats, y: Floats) -> Floats:
    if np.ptp(x) == 0:
        return np.asarray(y - y.mean())
    line = stats.linregress(x, y)
    return np.asarray(y - (line.intercept + line.slope * x))
