"""The figure that maps are scaled from: what the best map gets that knows nothing of a sequence."""

from __future__ import annotations

import numpy as np

from motifidelity.metrics.attribution.base_ranking import rank_bases
from motifidelity.metrics.attribution.uninformed import position_curve
from motifidelity.scoring.truth import Truth

NOISE = 0.5
"""Expected ``attribution_auroc`` of noise."""


def maps_floor(truth: Truth) -> float:
    """The floor of ``attribution_auroc`` on a task: the higher of noise and the position curve.

    Parameters
    ----------
    truth : Truth
        Of the task's full profile: the floor is one figure, the same for all networks. A
        specification states it as ``maps_floor``.

    Returns
    -------
    float
        Of one map for every explained sequence, the mean truth by position of the training split.
    """
    curve = position_curve(truth.dataset.splits["train"].truth)
    planted, bases = truth.test.truth[truth.explained], truth.bases.rows(truth.explained)
    maps = np.broadcast_to(curve, planted.shape)
    areas = rank_bases(maps, planted, bases.chance, bases.low_information)
    return max(NOISE, float(np.nanmean(areas.auroc)))
