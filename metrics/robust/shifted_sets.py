"""Shifts: scores on test sets of the same rule that are drawn otherwise than the training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats
from motifidelity.metrics.attribution.base_ranking import rank_bases
from motifidelity.metrics.attribution.maps import score_maps
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.robust.negative_kinds import score_kinds
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork
from motifidelity.metrics.truth.extra_sets import ShiftedSet, shifted_part

SHIFTED = "shifted_"
"""Before the name of the score that is taken on shifted sets."""
WORST, MAPS = "worst", "maps"
# what an answer that knows nothing gets against any kind of negative
CHANCE = 0.5
_SCALED = "our definition: {} on each shifted set, from what knowing nothing gets (0) to what the "
_ORACLE = "oracle of the training set gets on it (1), mean over sets"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=SHIFTED + WORST,
        family="robust",
        definition="standard",
        direction="higher",
        low=0.0,
        high=None,
        chance=0.0,
        version=1,
        source=_SCALED.format("auroc_worst") + _ORACLE,
        summary="How much of its accuracy is left where the background or the number and place of "
        "sites is another; 1 is the oracle's.",
    ),
    Metric(
        name=SHIFTED + MAPS,
        family="attribution",
        definition="standard",
        direction="higher",
        low=0.0,
        high=None,
        chance=0.0,
        version=1,
        source=_SCALED.format("maps") + _ORACLE,
        summary="How well maps point at the motifs there; 1 is the oracle's.",
    ),
)


def scaled(found: npt.ArrayLike, oracle: npt.ArrayLike, floor: float) -> npt.NDArray[np.float64]:
    """Scores from 0, what knowing nothing gets, to 1, what the oracle gets on the same set.

    Parameters
    ----------
    found : (s,) float
        A network's score on each set; nan counts as the floor.
    oracle : (s,) float
        That of the oracle with the trained prior.
    floor : float

    Returns
    -------
    (s,) float64
        Cut off at 0; nan for a set on which the oracle is not above the floor.
    """
    score, ceiling = (np.asarray(each, np.float64) for each in (found, oracle))
    gain = np.maximum(np.where(np.isnan(score), floor, score) - floor, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ceiling > floor, gain / (ceiling - floor), np.nan)


def score_shifted(
    metric: str, found: npt.ArrayLike, oracle: npt.ArrayLike, floor: float, names: Sequence[str]
) -> list[Score]:
    """A score on shifted sets, scaled by the oracle.

    Parameters
    ----------
    metric : str
        The score that is taken on each set.
    found, oracle, floor
        As `scaled` takes them.
    names : sequence of s str
        Of sets; become `Score.target`.

    Returns
    -------
    list of Score
        ``shifted_`` and the metric: of each set, then the mean and SD over sets.
    """
    values = scaled(found, oracle, floor)
    name = SHIFTED + metric
    each = [Score(name, float(v), target=set_) for v, set_ in zip(values, names, strict=True)]
    return [*each, mean_score(name, values)]


def worst_kind(logits: Floats, shifted: ShiftedSet, names: Sequence[str]) -> float:
    """`negative_kinds.WORST` of logits (n,) on a shifted set."""
    return score_kinds(logits, shifted.positive, shifted.kinds, names)[-1].value


def view_auroc(importance: Floats, shifted: ShiftedSet) -> float:
    """Mean AUROC of the bases of a set's explained sequences by one view of their maps.

    Parameters
    ----------
    importance : (e, L) float
        Of the explained sequences of all extra sets.
    shifted : ShiftedSet
    """
    bases = shifted.bases
    areas = rank_bases(
        importance[shifted.rows], shifted.planted, bases.chance, bases.low_information
    )
    return mean_score(MAPS, areas.auroc).value


def maps_on_sets(
    views: Mapping[tuple[str, str], Floats], sets: Sequence[ShiftedSet], floor: float
) -> list[float]:
    """`maps` of each shifted set, from 0 at the floor to 1.

    Parameters
    ----------
    views : mapping of (method, reading) to (e, L) float
        Importance of each base by each view that there is.
    sets : sequence of ShiftedSet
    floor : float
        As `score_maps` takes it.
    """
    return [
        score_maps({view: view_auroc(mine, one) for view, mine in views.items()}, floor)[0].value
        for one in sets
    ]


def score_shifted_maps(
    views: Mapping[tuple[str, str], Floats], sets: Sequence[ShiftedSet], floor: float
) -> list[Score]:
    """`maps_on_sets`, scaled by the oracle: ``shifted_maps``."""
    found, oracle = maps_on_sets(views, sets, floor), [one.oracle_maps for one in sets]
    return score_shifted(MAPS, found, oracle, 0.0, [one.name for one in sets])


def _score(network: ScoredNetwork) -> list[Score]:
    task = network.task
    if task.extra is None or network.answers is None or not task.extra.shifted:
        return []
    sets = task.extra.shifted
    found = [
        worst_kind(network.answers[shifted_part(one.name)][:, 0], one, task.kind_names)
        for one in sets
    ]
    oracle = [one.oracle_worst for one in sets]
    return score_shifted(WORST, found, oracle, CHANCE, [one.name for one in sets])


SCORERS = (NetworkScorer(_score, place=18),)
