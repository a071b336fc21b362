"""Regression: whether the network predicts a target that is known without its noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motifidelity.metrics import association
from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats
from motifidelity.metrics.declare import Direction, Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork


def _metric(
    name: str,
    low: float | None,
    high: float | None,
    source: str,
    summary: str,
    direction: Direction = "higher",
) -> Metric:
    return Metric(
        name=name,
        family="accuracy",
        definition="standard",
        direction=direction,
        low=low,
        high=high,
        chance=0.0 if direction == "higher" else None,
        version=1,
        source=source,
        summary=summary,
    )


METRICS: tuple[Metric, ...] = (
    _metric(
        "pearson",
        -1.0,
        1.0,
        "Pearson, Proc. R. Soc. Lond. 58, 240-242 (1895), with the target without its noise",
        "How well predictions follow the true target, whatever their scale.",
    ),
    _metric(
        "spearman",
        -1.0,
        1.0,
        "Spearman, Am. J. Psychol. 15, 72-101 (1904), with the target without its noise",
        "How well the order of predictions follows the true target's.",
    ),
    _metric(
        "r2",
        None,
        1.0,
        "coefficient of determination, of the target without its noise",
        "Share of the true target's variance that predictions explain; below 0 they are further "
        "off than its mean.",
    ),
    _metric(
        "calibration_slope",
        None,
        None,
        "Cox, Biometrika 45, 562-565 (1958): slope of the target without its noise on predictions",
        "By how much the true target rises with the prediction; 1 is calibrated, above 1 they "
        "shrink.",
        direction="neutral",
    ),
)

MEASURES = {
    "pearson": association.pearson,
    "spearman": association.spearman,
    "r2": association.r_squared,
    "calibration_slope": association.calibration_slope,
}


def score_regression(predicted: Floats, exact: Floats, names: Sequence[str]) -> list[Score]:
    """How well predictions follow the exact targets.

    Parameters
    ----------
    predicted, exact : (n, T) float
        In the same unit.
    names : sequence of T str
        Become `Score.target`.

    Returns
    -------
    list of Score
        For each of ``pearson``, ``spearman``, ``r2`` and ``calibration_slope`` (of the truth on
        predictions): T scores (n = sequences), then the mean over targets. A constant or missing
        answer has 0, and no slope.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """
    predicted, exact = np.asarray(predicted), np.asarray(exact)
    if predicted.ndim != 2 or predicted.shape != exact.shape or len(names) != exact.shape[1]:
        raise ValueError(
            f"predictions {predicted.shape}, targets {exact.shape} and {len(names)} names must "
            "agree"
        )
    scores: list[Score] = []
    for metric, measure in MEASURES.items():
        values = measure(predicted.T, exact.T)
        scores += [
            Score(metric, float(value), n=len(exact), target=name)
            for name, value in zip(names, values, strict=True)
        ]
        scores.append(mean_score(metric, values))
    return scores


def _score(network: ScoredNetwork) -> list[Score]:
    task = network.task
    if task.function is None:
        return []
    return score_regression(network.logits, task.function.exact, task.classes)


SCORERS = (NetworkScorer(_score, place=10),)
