"""Maps: how well a network's maps point at the motifs, whoever reads them and however.

Three methods, each read in two ways, decide together: no choice of one makes a network better than
another. Each view is scaled from what a map that knows nothing gets to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import MEAN_METHOD
from motifidelity.metrics.readings import Reading
from motifidelity.metrics.sampling_error import mean_error

T = TypeVar("T", float, npt.NDArray[np.float64])

METHODS = ("gradient_corrected", "ism", "deepshap")
READINGS: tuple[Reading, ...] = ("signed", "magnitude")
VIEWS: tuple[tuple[str, Reading], ...] = tuple(product(METHODS, READINGS))
"""A method and a reading each."""
OF_VIEW = "attribution_auroc"

METRICS: tuple[Metric, ...] = (
    Metric(
        name="maps",
        family="attribution",
        definition="corrected",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: mean of six attribution_auroc (corrected gradient, mutagenesis, "
        "DeepSHAP; each signed and by magnitude), each scaled from the floor of the task to 1",
        summary="How well maps point at the motifs, mean of six ways to make and read them; 0 is "
        "what a map that knows nothing gets.",
    ),
)


def score_maps(aurocs: Mapping[tuple[str, str], float], floor: float) -> list[Score]:
    """The mean of the views.

    Parameters
    ----------
    aurocs : mapping of (method, reading) to float
        ``attribution_auroc`` of a network's views; one that is not there, or nan, counts 0.
    floor : float, below 1
        What the best map that knows nothing gets on the task.

    Returns
    -------
    list of Score
        ``maps``, in [0, 1], n = 6. A view at or below the floor counts 0, so that dropping a bad
        one never pays.

    Raises
    ------
    ValueError
        If the floor is not below 1.
    """
    scaled = [_scaled(aurocs.get(view, floor), floor) for view in VIEWS]
    # nan is not above 0
    return [Score("maps", sum(v for v in scaled if v > 0) / len(VIEWS), n=len(VIEWS))]


def score_mean(
    metric: str, values: Mapping[str, float], chance: float, reading: str | None
) -> Score:
    """The mean over the methods of the views, of a score that each method has.

    Parameters
    ----------
    metric : str
    values : mapping of str to float
        By method, in one reading; one that is not there, or nan, counts as chance.
    chance : float
        What a map that knows nothing gets, below what others get.
    reading : str or None
        Becomes `Score.reading`.

    Returns
    -------
    Score
        Of method `methods.MEAN_METHOD`, n = 3. A method below chance counts as chance, so that
        dropping a bad one never pays.
    """
    # nan is not above anything
    counted = [v if (v := values.get(name, chance)) > chance else chance for name in METHODS]
    mean = sum(counted) / len(METHODS)
    return Score(metric, mean, n=len(METHODS), method=MEAN_METHOD, reading=reading)


def score_error(areas: Mapping[tuple[str, str], npt.NDArray[np.float64]], floor: float) -> Score:
    """Standard error of `maps` over the explained sequences.

    Parameters
    ----------
    areas : mapping of (method, reading) to (m,) float
        AUROC of every sequence by the network's views, nan where a sequence has none.
    floor : float, below 1
        As `score_maps` takes it.

    Returns
    -------
    Score
        ``maps_error``: of the mean over views of each sequence. A view that counts 0 adds nothing.
        nan without a sequence.
    """
    means = {view: float(np.nanmean(mine)) for view, mine in areas.items() if view in VIEWS}
    if not means:
        return Score("maps_error", float("nan"), n=0)
    total = np.zeros(len(areas[next(iter(means))]))
    for view, mean in means.items():
        if mean > floor:
            total += _scaled(areas[view], floor) / len(VIEWS)
    return Score("maps_error", mean_error(total), n=int(np.isfinite(total).sum()))


def _scaled(value: T, floor: float) -> T:
    if not floor < 1:
        raise ValueError(f"floor {floor} must be below 1")
    return (value - floor) / (1 - floor)
