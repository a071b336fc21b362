"""What sites of known strength do, alone and two together, in sequences designed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import mean_score
from motifidelity.metrics.association import Floats, pearson, response_slope
from motifidelity.metrics.declare import Metric, Score
from motifidelity.metrics.scored import NetworkScorer, ScoredNetwork
from motifidelity.metrics.truth.asked import NEITHER, FunctionTruth, crossed_parts, single_part

Values = npt.NDArray[np.float64]

RESPONSE, RESPONSE_SLOPE, EPISTASIS = "affinity_response", "affinity_slope", "epistasis"

METRICS: tuple[Metric, ...] = (
    Metric(
        name=RESPONSE,
        family="effects",
        definition="standard",
        direction="higher",
        low=-1.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: Pearson correlation of mean changes by one site at rising "
        "strengths, in backgrounds without sites, with the exact function's",
        summary="How well the answer follows the strength of a site.",
    ),
    Metric(
        name=RESPONSE_SLOPE,
        family="effects",
        definition="standard",
        direction="neutral",
        low=None,
        high=None,
        chance=None,
        version=1,
        source="our definition: slope of these mean changes on the exact function's",
        summary="By how much the answer rises where the true target rises by one.",
    ),
    Metric(
        name=EPISTASIS,
        family="rules",
        definition="standard",
        direction="higher",
        low=0.0,
        high=1.0,
        chance=0.0,
        version=1,
        source="our definition: 1 - SS(network - exact) / SS(exact) of y(ab) - y(a) - y(b) + y(0), "
        "on designed pairs that cooperate and one that does not, cut off at 0",
        summary="Whether a network has what two sites do beyond the sum of what each does.",
    ),
)


def mean_response(after: Floats, before: Floats) -> Values:
    """Mean change of an output by a site.

    Parameters
    ----------
    after : (..., b) float
        With the site, in each background.
    before : (b,) float
        Of the backgrounds themselves.

    Returns
    -------
    (...) float64
    """
    return np.asarray((np.asarray(after, np.float64) - np.asarray(before)).mean(axis=-1))


def score_responses(found: Floats, exact: Floats, names: Sequence[str]) -> list[Score]:
    """How the output follows the strength of a factor's site.

    Parameters
    ----------
    found, exact : (F, s) float
        `mean_response` of each factor at each strength, of the network and of the function.
    names : sequence of F str

    Returns
    -------
    list of Score
        ``affinity_response`` (Pearson) and ``affinity_slope`` (of the network's on the exact one)
        of each factor (n = strengths), then their mean over factors.
    """
    scores: list[Score] = []
    for metric, measure in ((RESPONSE, pearson), (RESPONSE_SLOPE, response_slope)):
        values = measure(found, exact)
        scores += [
            Score(metric, float(value), n=exact.shape[1], target=name)
            for name, value in zip(names, values, strict=True)
        ]
        scores.append(mean_score(metric, values))
    return scores


def interaction(both: Floats, first: Floats, second: Floats, neither: Floats) -> Values:
    """What two sites do beyond the sum of what each does.

    Parameters
    ----------
    both : (s, t, b) float
        Output with a site of each factor, by their strengths and the background.
    first : (s, b) float
        With the first alone.
    second : (t, b) float
        With the second alone.
    neither : (b,) float

    Returns
    -------
    (s, t, b) float64
        y(ab) - y(a) - y(b) + y(0).
    """
    a, b, none = (np.asarray(each, np.float64) for each in (first, second, neither))
    return np.asarray(both - a[:, None] - b[None] + none)


def score_epistasis(found: Sequence[Floats], exact: Sequence[Floats]) -> list[Score]:
    """How well a network has the interactions of pairs of factors, those that are 0 included.

    Parameters
    ----------
    found, exact : sequence of ndarray
        `interaction` of each pair, of the network and of the function, both in SDs of the target.

    Returns
    -------
    list of Score
        ``epistasis``, in [0, 1]: 1 - SS(found - exact) / SS(exact) over all pairs together, cut off
        at 0, n = interactions. A constant or missing answer has 0; nan where nothing interacts.

    Notes
    -----
    A correlation would give 1 to any convex function of a sum.
    """
    answer, truth = (
        np.concatenate([np.asarray(one, np.float64).ravel() for one in each])
        for each in (found, exact)
    )
    total = np.square(truth).sum()
    if not total > 0:
        return [Score(EPISTASIS, float("nan"), n=len(truth))]
    value = 1.0 - np.square(answer - truth).sum() / total if np.isfinite(answer).all() else 0.0
    return [Score(EPISTASIS, max(0.0, float(value)), n=len(truth))]


def responses(answers: Mapping[str, Floats], factors: Sequence[str], target: int) -> Values:
    """`mean_response` (F, s) of each factor, from answers to what is asked."""
    before = answers[NEITHER][..., target]
    each = [mean_response(answers[single_part(name)][..., target], before) for name in factors]
    return np.stack(each)


def interactions(answers: Mapping[str, Floats], truth: FunctionTruth, target: int) -> list[Values]:
    """`interaction` of each pair of factors, from answers to what is asked."""
    found = []
    for pair in truth.crossed:
        parts = (*crossed_parts(*pair), NEITHER)
        both, first, second, neither = (answers[part][..., target] for part in parts)
        found.append(interaction(both, first, second, neither))
    return found


def _score(network: ScoredNetwork) -> list[Score]:
    truth, answers = network.task.function, network.answers
    if truth is None or answers is None or not truth.factors:
        return []
    # one target: factors name the scores
    found, exact = (responses(each, truth.factors, 0) for each in (answers, truth.answers))
    scores = score_responses(found, exact, truth.names or truth.factors)
    if truth.crossed:
        pairs = (interactions(each, truth, 0) for each in (answers, truth.answers))
        scores += score_epistasis(*pairs)
    return scores


SCORERS = (NetworkScorer(_score, place=15),)
