"""Maps: how well a network's maps point at the motifs, whoever reads them and however.

Three methods, each read in two ways, decide together: no choice of one makes a network better than
another. Each view is scaled from what a map that knows nothing gets to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from motifidelity.metrics.declare import Metric, Score

METHODS = ("gradient_corrected", "ism", "deepshap")
READINGS = ("signed", "magnitude")
VIEWS: tuple[tuple[str, str], ...] = tuple(product(METHODS, READINGS))
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
    if not floor < 1:
        raise ValueError(f"floor {floor} must be below 1")
    found = [aurocs.get(view, floor) for view in VIEWS]
    scaled = [(value - floor) / (1 - floor) for value in found]
    # nan is not above 0
    return [Score("maps", sum(v for v in scaled if v > 0) / len(VIEWS), n=len(VIEWS))]
