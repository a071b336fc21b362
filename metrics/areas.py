"""AUROC and the two readings of AUPR for many rows at once, and the mean over rows.

One sort per row instead of one library call per row: 6,000 sequences are scored in milliseconds.
Ties are handled as scikit-learn does (tied scores enter the curve together).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Score

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Ranking:
    """Areas under the curves of every row; nan where a row makes the area undefined.

    Attributes
    ----------
    auroc : (r,) float64, in [0, 1]
        Area under the ROC curve; nan for a row with positives only or negatives only.
    average_precision : (r,) float64, in [0, 1]
        Step-wise area under the precision-recall curve, sum (R_k - R_{k-1}) P_k; nan for a row
        without positives.
    pr_trapezoid : (r,) float64, in [0, 1]
        Area under the same curve joined by straight lines, from (recall 0, precision 1); nan for a
        row without positives.
    prevalence : (r,) float64, in [0, 1]
        Share of positives: the average precision of an uninformative ranking; nan for an empty row.
    """

    auroc: npt.NDArray[np.float64]
    average_precision: npt.NDArray[np.float64]
    pr_trapezoid: npt.NDArray[np.float64]
    prevalence: npt.NDArray[np.float64]


def rank_rows(
    scores: Floats, positive: npt.ArrayLike, keep: npt.ArrayLike | None = None
) -> Ranking:
    """Rank each row by descending score and take the areas under its curves.

    Parameters
    ----------
    scores : (r, n) float
        Higher means more likely positive. Compared in the dtype given.
    positive : (r, n) bool or 0/1
        The truth.
    keep : (r, n) bool, optional
        False leaves an element out of its row altogether. Default: all are kept.

    Returns
    -------
    Ranking

    Raises
    ------
    ValueError
        If the shapes differ, or a kept score is nan or infinite.

    Notes
    -----
    Equal to ``sklearn.metrics.roc_auc_score``, ``average_precision_score`` and
    ``auc(recall, precision)`` of ``precision_recall_curve``, row by row. See Davis & Goadrich
    (ICML 2006) for why the trapezoid over a precision-recall curve is optimistic.
    """
    scores = np.asarray(scores)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    truth = np.asarray(positive).astype(bool, copy=False)
    if scores.ndim != 2 or truth.shape != scores.shape:
        raise ValueError(f"scores {scores.shape} and truth {truth.shape} must be equal (r, n)")
    kept = np.ones(scores.shape, bool) if keep is None else np.asarray(keep).astype(bool)
    if kept.shape != scores.shape:
        raise ValueError(f"keep {kept.shape} must have the shape of the scores {scores.shape}")
    if not np.isfinite(scores[kept]).all():
        raise ValueError("scores hold nan or infinity; clip or reject them before scoring")
    if scores.shape[1] == 0:
        empty = np.full(len(scores), np.nan)
        return Ranking(empty, empty, empty, empty)

    # What is left out sorts to the end and weighs nothing, so it moves no point of a curve.
    ascending = np.where(kept, -scores, np.inf)
    order = np.argsort(ascending, axis=1, kind="stable")
    ascending = np.take_along_axis(ascending, order, axis=1)
    is_positive = np.take_along_axis(truth & kept, order, axis=1)
    is_negative = np.take_along_axis(~truth & kept, order, axis=1)
    last_of_tie = np.ones(scores.shape, bool)
    last_of_tie[:, :-1] = ascending[:, 1:] != ascending[:, :-1]

    hits = np.cumsum(is_positive, axis=1, dtype=np.int32)
    false_alarms = np.cumsum(is_negative, axis=1, dtype=np.int32)
    hits_before = _at_previous_point(hits, last_of_tie)
    false_before = _at_previous_point(false_alarms, last_of_tie)

    n_positive = hits[:, -1].astype(np.float64)
    n_negative = false_alarms[:, -1].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = hits / (hits + false_alarms)
        precision_before = hits_before / (hits_before + false_before)
        # The curve starts at precision 1 by convention (scikit-learn's, and so the study's).
        precision_before = np.where(hits_before + false_before == 0, 1.0, precision_before)
        gained = np.where(last_of_tie, hits - hits_before, 0)
        width = np.where(last_of_tie, false_alarms - false_before, 0)
        roc_area = (width * (hits + hits_before) / 2.0).sum(axis=1)
        step_area = np.where(gained > 0, gained * precision, 0.0).sum(axis=1)
        line_area = np.where(gained > 0, gained * (precision + precision_before) / 2, 0.0).sum(
            axis=1
        )
        return Ranking(
            auroc=roc_area / (n_positive * n_negative),
            average_precision=step_area / n_positive,
            pr_trapezoid=line_area / n_positive,
            prevalence=n_positive / (n_positive + n_negative),
        )


def _at_previous_point(
    counts: npt.NDArray[np.int32], last_of_tie: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int32]:
    """Value of `counts` (r, n), rising along a row, at the last tie end before each position."""
    at_ends = np.maximum.accumulate(np.where(last_of_tie, counts, 0), axis=1)
    before = np.zeros_like(counts)
    before[:, 1:] = at_ends[:, :-1]
    return before


def mean_score(
    metric: str, values: npt.ArrayLike, *, method: str | None = None, target: str | None = None
) -> Score:
    """Mean and SD of the defined values as one `Score`.

    Parameters
    ----------
    metric : str
        Name of the declared metric.
    values : (k,) float
        nan marks an item for which the metric is undefined; it is left out, and `Score.n` says so.
    method, target : str, optional
        Passed on.

    Returns
    -------
    Score
        Value nan and n 0 when nothing is defined; sd (``ddof=0``) only for two items or more.
    """
    items = np.asarray(values, dtype=np.float64)
    items = items[~np.isnan(items)]
    value = float(items.mean()) if items.size else math.nan
    sd = float(items.std()) if items.size > 1 else None
    return Score(metric, value, sd=sd, n=int(items.size), method=method, target=target)
