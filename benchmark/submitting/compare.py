"""How far two scores may lie apart, and where that limit comes from.

Three comparisons are made, each of what a person reads first (the task's headlines):

- *again*: a score as submitted and from a second training with the same seed. Training on another
  machine adds floats in another order, and after thousands of steps that can be another network,
  as another trial is. Limit: ``q * sqrt(2 s^2 + e^2)``.
- *same network, secret test data*: one trained network on the public and on freshly generated test
  data of the same specification. Only the sequences differ: ``q * sqrt(e1^2 + e2^2)``.
- *secret data, secret training*: everything anew: ``q * sqrt(2 s^2 + e1^2 + e2^2)``.

``s`` is the spread over trials, ``e`` the sampling error of a score, ``q`` the quantile with which
all comparisons of a verification together pass with probability 0.99 when nothing is wrong
(Bonferroni).
Scores that no training touches are compared exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.metrics.declare import Metric, all_metrics
from motifidelity.metrics.regression import score_regression
from motifidelity.metrics.scored import REGRESSION
from motifidelity.tasks.spec import headlines_of, is_read_first, read_first

ALPHA = 0.01
# relative: a scan with the true matrices is one sum in double precision
EXACT = 1e-6
ENOUGH_TRIALS = 5
BOOTSTRAPS = 100
# SD over trials as a share of a score's range, where a submission has too few trials of its own:
# the largest of 6 trials of CNN-local and of CNN-deep at profile quick, rounded up; of attribution
# the largest that the study publishes, which is larger (docs/submitting.md)
ASSUMED_SPREAD = {"accuracy": 0.04, "filters": 0.26, "localisation": 0.1, "attribution": 0.12}
# of families that no network has been measured in yet: the widest
UNKNOWN_SPREAD = max(ASSUMED_SPREAD.values())
# a mean over fewer parts (rules, kinds, sets) is no surer than a share of so many things
FEW_PARTS = 10

Key = tuple[str, str | None]


@dataclass(frozen=True)
class ScorePair:
    """Two values of one score.

    Attributes
    ----------
    kind : {"again", "same network", "secret"}
    what : str
        Task, profile, parameters, trial.
    metric, method : str
    claimed, found : float
        As submitted, or on public data; and as found again, or on secret data.
    tolerance : float
    source : str
        Where the tolerance comes from.
    ok : bool
    """

    kind: str
    what: str
    metric: str
    method: str | None
    claimed: float
    found: float
    tolerance: float
    source: str
    ok: bool

    def to_json(self) -> dict[str, Any]:
        """As JSON carries it."""
        return asdict(self)


def overall(rows: Sequence[Mapping[str, Any]], task: str = "") -> dict[Key, Mapping[str, Any]]:
    """Rows of whole scores (no class) that have a value, by metric and method.

    Of maps that were read in several ways it is the method's own reading, or that of the task's
    headline.
    """
    first = read_first(task) if task else {}
    return {
        (row["metric"], row["method"]): row
        for row in rows
        if row["target"] is None
        and is_read_first(row, first)
        and row["value"] is not None
        and math.isfinite(row["value"])
    }


def judged(task: str) -> list[Key]:
    """Scores that decide: what a person reads first of a task, less what no training touches."""
    return [(one.metric, one.method) for one in headlines_of(task) if one.method != "pwm"]


def is_exact(key: Key) -> bool:
    """Whether a score depends on the data alone, on no network."""
    return key[1] == "pwm"


def accuracy_errors(
    logits: NDArray[np.floating], labels: NDArray[Any], classes: Sequence[str], target: str = ""
) -> dict[str, float]:
    """Standard error over test sequences of each overall accuracy score, by bootstrap.

    Parameters
    ----------
    logits, labels : ndarray (n, classes)
        Of a regression predictions and the target without its noise.
    classes : sequence of str
    target : str
        Of the task.
    """
    rng = np.random.default_rng(0)
    score = score_regression if target == REGRESSION else score_accuracy
    values: dict[str, list[float]] = {}
    for _ in range(BOOTSTRAPS):
        rows = rng.integers(0, len(labels), len(labels))
        for one in score(logits[rows], labels[rows], classes):
            if one.target is None and math.isfinite(one.value):
                values.setdefault(one.metric, []).append(one.value)
    return {name: float(np.std(found)) for name, found in values.items()}


def sampling_error(row: Mapping[str, Any], errors: Mapping[str, float]) -> float:
    """Standard error of one score.

    That of the bootstrap where there is one; else ``sd / sqrt(n)`` of a mean over sequences; else
    that of a share of n things (Agresti & Coull, Am. Stat. 52, 119-126 (1998)), in its own range.
    A mean over a few rules, kinds or sets has the larger of the two: rules that a network has all
    alike, or all perfectly, say nothing of what other sequences would give.
    """
    metric = all_metrics()[row["metric"]]
    n = max(int(row["n"]), 1)
    if row["metric"] in errors:
        return errors[row["metric"]]
    of_mean = float(row["sd"]) / math.sqrt(n) if row.get("sd") is not None and n > 1 else None
    if of_mean is not None and (n >= FEW_PARTS or metric.family in ASSUMED_SPREAD):
        return of_mean
    width = value_range(metric, n)
    share = min(max((row["value"] - (metric.low or 0.0)) / width, 0.0), 1.0)
    share = (share * n + 2) / (n + 4)
    return max(of_mean or 0.0, width * math.sqrt(share * (1 - share) / (n + 4)))


def value_range(metric: Metric, n: int) -> float:
    """Largest minus smallest value; a count of n things reaches n."""
    high = metric.high if metric.high is not None else float(max(n, 1))
    return high - (metric.low or 0.0)


@dataclass(frozen=True)
class Spread:
    """Spread of a score over trials: SD, degrees of freedom (None: assumed), and its source."""

    sd: float
    freedom: int | None
    source: str

    @classmethod
    def of(cls, values: Sequence[float], metric: Metric, n: int) -> Spread:
        """Spread of the submitted trials, or the assumed one where they are too few."""
        if len(values) >= ENOUGH_TRIALS:
            sd = float(np.std(values, ddof=1))
            return cls(sd, len(values) - 1, f"spread of {len(values)} trials, SD {sd:.4f}")
        sd = ASSUMED_SPREAD.get(metric.family, UNKNOWN_SPREAD) * value_range(metric, n)
        return cls(
            sd,
            None,
            f"assumed spread of trials, SD {sd:.4f} (fewer than {ENOUGH_TRIALS} were submitted)",
        )


NO_SPREAD = Spread(0.0, None, "")


def tolerance(spread: Spread, errors: Sequence[float], comparisons: int) -> tuple[float, str]:
    """Limit of a difference, and its source in words.

    Parameters
    ----------
    spread : Spread
        Of training, on both sides; `NO_SPREAD` where one network is compared with itself.
    errors : sequence of float
        Standard errors of sampling, one a side that has one.
    comparisons : int
        How many are made together.
    """
    tail = 1 - ALPHA / (2 * max(comparisons, 1))
    if spread.freedom is None:
        quantile = NormalDist().inv_cdf(tail)
    else:
        from scipy.stats import t

        quantile = float(t.ppf(tail, spread.freedom))
    sampling = math.sqrt(sum(error**2 for error in errors))
    sd = math.sqrt(2 * spread.sd**2 + sampling**2)
    parts = [spread.source] if spread.source else []
    parts.append(f"sampling error {sampling:.4f}")
    return quantile * sd, f"{quantile:.1f} x SD of the difference; {', '.join(parts)}"


def better_in_public(metric: str, public: float, secret: float) -> float:
    """How much better the public value is, in the metric's own direction."""
    sign = -1.0 if all_metrics()[metric].direction == "lower" else 1.0
    return sign * (public - secret)
