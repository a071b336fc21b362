"""What maps get that know nothing of the sequence they are held against.

Implants lie where the grammar puts them, so that a curve by position, the same for every sequence,
is above chance; and a network's maps of other sequences have what is common to all its maps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.attribution.base_ranking import rank_bases
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import MapScorer, ScoredMaps

METRICS: tuple[Metric, ...] = (
    Metric(
        name="attribution_mismatched",
        family="attribution",
        definition="corrected",
        direction="neutral",
        low=0.0,
        high=1.0,
        chance=0.5,
        version=1,
        source="our definition: attribution_auroc of each map against the truth of the next "
        "sequence, that of the last one against the first",
        summary="As attribution_auroc, against the truth of another sequence: what is common to "
        "all maps of the network.",
    ),
)


def position_curve(truth: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mean truth by position: how often each is implanted.

    Parameters
    ----------
    truth : (n, L) 0/1
        Of a task's training split.

    Returns
    -------
    (L,) float64, in [0, 1]
    """
    return np.asarray(np.asarray(truth).mean(axis=0, dtype=np.float64))


def _score(found: ScoredMaps) -> list[Score]:
    """One score, where the task asks for it and there are two sequences."""
    task = found.task
    if not task.mismatched or found.method.paper_maps or len(found.importance) < 2:
        return []
    other = np.roll(np.arange(len(found.importance)), -1)
    bases, planted = task.explained_bases.rows(other), task.planted[task.explained][other]
    areas = rank_bases(found.importance, planted, bases.chance, bases.low_information)
    return [mean_score("attribution_mismatched", areas.auroc, method=found.method.name)]


SCORERS = (MapScorer(_score, place=12, read=True),)
