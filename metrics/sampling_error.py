"""How far a score of one network would move with other test sequences.

The standard error that a bootstrap over test sequences tends to, without drawing any: the root of
the sum of squares of what each sequence adds to the score (the infinitesimal jackknife; Efron,
Biometrika 68, 589-599 (1981)). A network of a few trials has an interval from it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import REGRESSION, NetworkScorer, ScoredNetwork

METRICS: tuple[Metric, ...] = (
    Metric(
        name="auroc_error",
        family="accuracy",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="DeLong, DeLong & Clarke-Pearson, Biometrics 44, 837-845 (1988), of a mean over "
        "classes",
        summary="Standard error of auroc over the test sequences.",
        own_network=True,
    ),
    Metric(
        name="pearson_error",
        family="accuracy",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="Devlin, Gnanadesikan & Kettenring, Biometrika 62, 531-545 (1975): influence of a "
        "sequence on a correlation",
        summary="Standard error of pearson over the test sequences.",
        own_network=True,
    ),
    Metric(
        name="maps_error",
        family="attribution",
        definition="standard",
        direction="neutral",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="standard error of a mean over sequences",
        summary="Standard error of maps over the explained sequences.",
        own_network=True,
    ),
)


def auroc_error(logits: npt.NDArray[np.floating], labels: npt.ArrayLike) -> float:
    """Standard error over sequences of the mean over classes of the AUROC.

    Parameters
    ----------
    logits : (n, C) float
    labels : (n, C) 0 or 1

    Returns
    -------
    float
        nan where no class has both labels. Classes are scored on the same sequences, and what a
        sequence adds is the mean of what it adds to each, so that nothing is taken as independent.
    """
    from scipy.stats import rankdata

    positive = np.asarray(labels).astype(bool)
    told = np.flatnonzero(positive.any(axis=0) & ~positive.all(axis=0))
    added = np.zeros(len(positive))
    for index in told:
        held = positive[:, index]
        ranks = rankdata(logits[:, index])
        # share of the other kind that each is told from, a tie by half
        shares = np.empty(len(held))
        for mine in (held, ~held):
            below = ranks[mine] - rankdata(logits[mine, index])
            shares[mine] = below / (~mine).sum()
        shares[~held] = 1 - shares[~held]
        area = shares[held].mean()
        added += (shares - area) / np.where(held, held.sum(), (~held).sum())
    return float(np.sqrt(np.square(added).sum()) / len(told)) if len(told) else float("nan")


def pearson_error(predicted: npt.NDArray[np.floating], exact: npt.NDArray[np.floating]) -> float:
    """Standard error over sequences of the mean over targets of Pearson's correlation.

    Parameters
    ----------
    predicted, exact : (n, T) float

    Returns
    -------
    float
        nan where no target's exact values vary; a constant prediction has 0.
    """
    answer, truth = (_standardised(each) for each in (predicted, exact))
    told = truth.any(axis=0)
    if not told.any():
        return float("nan")
    r = (answer * truth).mean(axis=0)
    added = answer * truth - r * (np.square(answer) + np.square(truth)) / 2
    return float(np.sqrt(np.square(added[:, told].mean(axis=1)).sum()) / len(truth))


def _standardised(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Values (n, T) with mean 0 and SD 1; constant ones 0."""
    centred = np.asarray(values, np.float64) - np.mean(values, axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(centred).mean(axis=0))
    varies = np.ptp(values, axis=0) > 0
    return np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)


def mean_error(values: npt.ArrayLike) -> float:
    """Standard error of the mean of what is defined of values (n,); nan below two."""
    items = np.asarray(values, np.float64)
    items = items[np.isfinite(items)]
    return float(items.std(ddof=1) / np.sqrt(len(items))) if len(items) > 1 else float("nan")


def _score(network: ScoredNetwork) -> list[Score]:
    task = network.task
    if not task.errors:
        return []
    if task.target == REGRESSION:
        if task.function is None:
            return []
        value = pearson_error(np.asarray(network.logits), task.function.exact)
        return [Score("pearson_error", value, n=len(task.labels))]
    value = auroc_error(np.asarray(network.logits), task.labels)
    return [Score("auroc_error", value, n=len(task.labels))]


SCORERS = (NetworkScorer(_score, place=11),)
