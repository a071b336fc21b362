"""Specificity: whether a class's map points at its own motif, and not at every motif.

Maps are summed over the classes that a sequence holds before they are scored, which a network that
points at any motif passes too. Here each class's own map is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score, rank_rows
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Floats
from motifidelity.metrics.scored import MapScorer, ScoredMaps
from motifidelity.metrics.truth.bases import BaseTruth
from motifidelity.metrics.truth.spans import Role, Spans, cover

OWN_AGAINST_OTHERS, OTHERS = "specificity_auroc", "other_classes_auroc"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=OWN_AGAINST_OTHERS,
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: AUROC of a class's own implants against those of other classes, in "
        "the class's own map",
        summary="Chance that a base of a class's own motif gets a higher importance, in the map of "
        "that class, than a base of another class's motif.",
    ),
    Metric(
        name=OTHERS,
        family="attribution",
        definition="corrected",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: AUROC of other classes' implants against background, in a class's "
        "own map",
        summary="Chance that a base of another class's motif gets a higher importance, in the map "
        "of a class, than a background base; 0.5 where a map tells its class's motif alone.",
    ),
)


def score_specificity(
    method: str,
    importance: Floats,
    sequence: npt.NDArray[np.integer],
    classes: npt.NDArray[np.integer],
    truth: BaseTruth,
    spans: Spans,
    motifs: Sequence[int],
    names: Sequence[str],
) -> list[Score]:
    """Specificity of the maps of one method.

    Parameters
    ----------
    method : str
        Becomes `Score.method`.
    importance : (k, L) float
        Importance of each base in the map of one class of one sequence.
    sequence, classes : (k,) int
        Which of m sequences, and which class of it.
    truth : BaseTruth
        Of the m sequences.
    spans : Spans
        Of the m sequences; implants alone count.
    motifs : sequence of C int
        The motif of each class, as `Spans.motif` counts.
    names : sequence of C str

    Returns
    -------
    list of Score
        ``specificity_auroc`` and ``other_classes_auroc``: of each class the mean and SD over the
        sequences that hold it and another one, then the mean and SD over classes (target None). A
        class without such a sequence has value nan and is left out of the mean.

    Notes
    -----
    Informative implanted bases alone count; one on which implants of two classes lie says nothing
    and is left out. A map that is one constant has 0.5.
    """
    implants = spans.of(Role.IMPLANT)
    shape = truth.states.shape
    of_class = np.stack(
        [cover(shape, implants.take(implants.motif == motif)) for motif in motifs], axis=-1
    )
    alone = truth.implanted & (of_class.sum(axis=-1) == 1)
    own = alone[sequence] & of_class[sequence, :, classes]
    others = alone[sequence] & ~own
    background = truth.background[sequence]
    scores: list[Score] = []
    for metric, positive, negative in (
        (OWN_AGAINST_OTHERS, own, others),
        (OTHERS, others, background),
    ):
        auroc = rank_rows(importance, positive, positive | negative).auroc
        each = [
            mean_score(metric, auroc[classes == index], method=method, target=name)
            for index, name in enumerate(names)
        ]
        scores += [*each, mean_score(metric, [score.value for score in each], method=method)]
    return scores


def _score(found: ScoredMaps) -> list[Score]:
    task, importance = found.task, found.importance_by_class
    if importance is None or not task.class_motifs or found.method.paper_maps:
        return []
    return score_specificity(
        found.method.name,
        importance,
        *task.held,
        task.explained_bases,
        task.explained_spans,
        task.class_motifs,
        task.classes,
    )


SCORERS = (MapScorer(_score, place=35, read=True),)
