"""How well answers follow a truth, row by row, with one rule for what says nothing.

An answer that is constant, or that is missing (nan or infinite anywhere in its row), gets what
knowing nothing gets: correlations, Somers' D and R2 0, AUROC and balanced accuracy .5, and no
slope. Ties count half. A row whose truth is undefined, because it does not vary, is nan: whoever
takes the mean leaves it out and counts it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.agreement import centred_ranks, unit_vectors
from motifidelity.metrics.areas import rank_rows

Floats = npt.NDArray[np.floating]
Values = npt.NDArray[np.float64]
GUESS = 0.5
"""AUROC and balanced accuracy of an answer that says nothing."""


def pearson(found: npt.ArrayLike, exact: npt.ArrayLike) -> Values:
    """Pearson correlation of answers with the truth.

    Parameters
    ----------
    found, exact : (r, n) float

    Returns
    -------
    (r,) float64, in [-1, 1]
    """
    answer, truth = _both(found, exact)
    return np.where(_varies(truth), _cosine(_centred(answer), _centred(truth)), np.nan)


def spearman(found: npt.ArrayLike, exact: npt.ArrayLike) -> Values:
    """Spearman's rank correlation (r,) of answers with the truth, both (r, n); ties share ranks."""
    answer, truth = _both(found, exact)
    if not truth.shape[1]:
        return np.full(len(truth), np.nan)
    ranks = _cosine(centred_ranks(answer), centred_ranks(truth))
    return np.where(_varies(truth), ranks, np.nan)


def r_squared(found: npt.ArrayLike, exact: npt.ArrayLike) -> Values:
    """1 - SS(found - exact) / SS(exact - its mean), both (r, n): (r,), at most 1.

    An answer that varies and is further off than the mean is below 0.
    """
    answer, truth = _both(found, exact)
    total = np.square(_centred(truth)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 1.0 - np.square(answer - truth).sum(axis=1) / total
    return np.where(_varies(truth), np.where(_varies(answer), value, 0.0), np.nan)


def response_slope(found: npt.ArrayLike, exact: npt.ArrayLike) -> Values:
    """Slope (r,) of answers (r, n) on the truth; nan where `calibration_slope` is."""
    answer, truth = _both(found, exact)
    return _slope(answer, truth)


def calibration_slope(found: npt.ArrayLike, exact: npt.ArrayLike) -> Values:
    """Slope of the truth on answers, by least squares: below 1 they spread too far.

    Parameters
    ----------
    found, exact : (r, n) float

    Returns
    -------
    (r,) float64
        nan where the answer or the truth is constant, and where the answer is missing.
    """
    answer, truth = _both(found, exact)
    return _slope(truth, answer)


def auroc(
    found: npt.ArrayLike, positive: npt.ArrayLike, keep: npt.ArrayLike | None = None
) -> Values:
    """Area under the ROC curve of each row: `areas.rank_rows`, and .5 for a missing answer.

    Parameters
    ----------
    found : (r, n) float
    positive : (r, n) bool or 0/1
    keep : (r, n) bool, optional
        False leaves an element out of its row; a missing answer there is none.

    Returns
    -------
    (r,) float64, in [0, 1]
        nan for a row with positives only or negatives only.
    """
    answer = np.asarray(found, np.float64)
    if keep is not None:
        answer = np.where(keep, answer, 0.0)
    return rank_rows(_or_nothing(answer), positive, keep).auroc


def somers_d(found: npt.ArrayLike, exact: npt.ArrayLike) -> float:
    """Somers' D of answers by the truth: over pairs of unlike truth, concordant less discordant.

    Parameters
    ----------
    found, exact : (n,) float

    Returns
    -------
    float, in [-1, 1]
        nan without a pair of unlike truth. Pairs that the answer ties count 0, half of either.

    Notes
    -----
    Somers, American Sociological Review 27, 799-811 (1962). Of two values of the truth it is
    2 AUROC - 1.
    """
    answer, truth = (np.asarray(each, np.float64) for each in (found, exact))
    if answer.ndim != 1 or truth.shape != answer.shape:
        raise ValueError(f"answers {answer.shape} and truth {truth.shape} must be equal (n,)")
    (answer,) = _or_nothing(answer[None])
    above = truth[:, None] > truth
    if not above.any():
        return float("nan")
    higher, lower = answer[:, None] > answer, answer[:, None] < answer
    return float(((above & higher).sum() - (above & lower).sum()) / above.sum())


def sign_accuracy(found: npt.ArrayLike, exact: npt.ArrayLike, least: float = 0.0) -> Values:
    """Share of right signs, the mean of that where the truth is positive and where negative.

    Parameters
    ----------
    found, exact : (r, n) float
    least : float
        Truth from minus this to this is not asked for.

    Returns
    -------
    (r,) float64, in [0, 1]
        nan for a row without truth of both signs. An answer of 0 is half right.
    """
    answer, truth = _both(found, exact)
    right = GUESS * (1.0 + np.sign(answer) * np.sign(truth))
    shares = []
    for side in (truth > least, truth < -least):
        with np.errstate(invalid="ignore"):
            shares.append((right * side).sum(axis=1) / side.sum(axis=1))
    return np.asarray((shares[0] + shares[1]) / 2)


def _both(found: npt.ArrayLike, exact: npt.ArrayLike) -> tuple[Values, Values]:
    """Answers, with zeros for missing ones, and truth, both (r, n)."""
    answer, truth = np.asarray(found, np.float64), np.asarray(exact, np.float64)
    if answer.ndim != 2 or truth.shape != answer.shape:
        raise ValueError(f"answers {answer.shape} and truth {truth.shape} must be equal (r, n)")
    return _or_nothing(answer), truth


def _answered(found: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(np.asarray(found, np.float64)).all(axis=1))


def _or_nothing(answer: Values) -> Values:
    return np.where(_answered(answer)[:, None], answer, 0.0)


def _varies(values: Values) -> npt.NDArray[np.bool_]:
    if not values.shape[1]:
        return np.zeros(len(values), bool)
    return np.asarray(values.max(axis=1) > values.min(axis=1))


def _centred(values: Values) -> Values:
    """Values less their mean over a row; of a constant exactly 0, whatever its mean is rounded to.

    The mean of no value is none.
    """
    if not values.shape[1]:
        return values
    return np.where(_varies(values)[:, None], values - values.mean(axis=1, keepdims=True), 0.0)


def _slope(y: Values, x: Values) -> Values:
    across = _centred(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (across * y).sum(axis=1) / np.square(across).sum(axis=1)
    return np.where(_varies(x) & _varies(y), value, np.nan)


def _cosine(one: Values, other: Values) -> Values:
    if not one.shape[1]:
        return np.zeros(len(one))
    return np.asarray((unit_vectors(one) * unit_vectors(other)).sum(axis=1))
