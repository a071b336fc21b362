"""Accuracy: whether the network predicts the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score, rank_rows
from motifidelity.metrics.declare import STUDY, Metric, Score
from motifidelity.metrics.scored import REGRESSION, NetworkScorer, ScoredNetwork

METRICS: tuple[Metric, ...] = (
    Metric(
        name="auroc",
        family="accuracy",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="Hanley & McNeil, Radiology 143, 29-36 (1982)",
        summary="Chance that a test sequence with the label gets a higher logit than one without.",
    ),
    Metric(
        name="aupr",
        family="accuracy",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source="Davis & Goadrich, ICML (2006); step-wise average precision",
        summary="Average precision of the predicted labels; chance is the share of positives.",
    ),
    Metric(
        name="paper_aupr",
        family="accuracy",
        definition="paper",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=None,
        version=1,
        source=STUDY,
        summary="Area under the precision-recall curve by the trapezoid, as the study takes it.",
    ),
)


def score_accuracy(
    logits: npt.NDArray[np.floating], labels: npt.ArrayLike, class_names: Sequence[str]
) -> list[Score]:
    """AUROC and AUPR of each class, and their mean over classes.

    Parameters
    ----------
    logits : (n, C) float
        One logit per class; only their order within a class matters.
    labels : (n, C) uint8, 0 or 1
        The truth.
    class_names : sequence of C str
        Become `Score.target`.

    Returns
    -------
    list of Score
        For each of ``auroc``, ``aupr`` and ``paper_aupr``: C scores in class order (n = test
        sequences), then the mean over classes (target None, n = classes with both labels, sd = SD
        over them). A class with one label only has value nan and is left out of the mean.

    Raises
    ------
    ValueError
        If the shapes disagree, a label is neither 0 nor 1, or a logit is not finite.

    Notes
    -----
    Fawcett, Pattern Recogn. Lett. 27, 861-874 (2006); the study takes the trapezoid for both.
    """
    logits = np.asarray(logits)
    truth = np.asarray(labels)
    names = list(class_names)
    if logits.ndim != 2 or truth.shape != logits.shape or len(names) != logits.shape[1]:
        raise ValueError(
            f"logits {logits.shape}, labels {truth.shape} and {len(names)} class names must agree"
        )
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("labels must be 0 or 1; binarise them before scoring")
    areas = rank_rows(logits.T, truth.T)
    # Without negatives every ranking is perfect: say undefined, as for AUROC.
    defined = ~np.isnan(areas.auroc)
    scores: list[Score] = []
    for metric, values in (
        ("auroc", areas.auroc),
        ("aupr", np.where(defined, areas.average_precision, np.nan)),
        ("paper_aupr", np.where(defined, areas.pr_trapezoid, np.nan)),
    ):
        scores.extend(
            Score(metric, float(value), n=len(logits), target=name)
            for name, value in zip(names, values, strict=True)
        )
        scores.append(mean_score(metric, values))
    return scores


def _score(network: ScoredNetwork) -> list[Score]:
    if network.task.target == REGRESSION:
        return []
    return score_accuracy(network.logits, network.task.labels, network.task.classes)


SCORERS = (NetworkScorer(_score, place=10),)
