"""Completeness: whether contributions add up to what the network's logit owes to the sequence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.methods import Floats, get_method
from motifidelity.metrics.scored import MapScorer, ScoredMaps

METRICS: tuple[Metric, ...] = (
    Metric(
        name="completeness_error",
        family="attribution",
        definition="standard",
        direction="lower",
        low=0.0,
        high=None,
        chance=None,
        version=1,
        source="Sundararajan et al., arXiv:1703.01365 (2017): sum of contributions against logits",
        summary=(
            "By how much contributions miss the difference of logits that they should add up to, "
            "as a share of it."
        ),
        own_network=True,
    ),
)


def score_completeness(method: str, maps: Floats, error: npt.ArrayLike) -> list[Score]:
    """Completeness error of the maps of one method.

    Parameters
    ----------
    method : str
    maps : (m, L, 4) float
        Contributions, in logits.
    error : (m,) float
        Sum of contributions less the difference of logits, of each sequence.

    Returns
    -------
    list of Score
        ``completeness_error``: the mean of |error| over the mean of |difference of logits|, n
        sequences, without an SD: a ratio of each sequence's own is noise where its difference is
        small. Both means may be over classes' sums. nan where no logit differs. Empty for a method
        whose maps need not add up.

    Raises
    ------
    ValueError
        If the error is not one finite number per sequence.

    Notes
    -----
    The difference of logits is the map's own sum less the error, for maps whose sum the error is
    of; the study's own ``paper_deepshap`` likewise.
    """
    missed = np.asarray(error, np.float64)
    if missed.shape != (len(maps),) or not np.isfinite(missed).all():
        raise ValueError(f"completeness {missed.shape} must be finite and ({len(maps)},)")
    if not get_method(method).complete:
        return []
    difference = np.asarray(maps, np.float64).sum(axis=(1, 2)) - missed
    size = np.abs(difference).mean() if len(maps) else 0.0
    value = float(np.abs(missed).mean() / size) if size > 0 else float("nan")
    return [Score("completeness_error", value, None, len(maps), method)]


def _score(found: ScoredMaps) -> list[Score]:
    if found.completeness is None:
        return []
    return score_completeness(found.method.name, found.maps, found.completeness)


SCORERS = (MapScorer(_score, place=40),)
