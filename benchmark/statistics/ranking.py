"""Rank intervals and tie groups: how far an order of models can be trusted."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from motifidelity.statistics.comparison import Comparison, Values

Floats = NDArray[np.float64]

RESAMPLES = 4000


@dataclass(frozen=True)
class RankInterval:
    """A model's rank by its mean (1 is best; equal means share the better rank), and its range."""

    rank: int
    low: int
    high: int


def rank_intervals(
    models: Mapping[str, Values],
    *,
    higher: bool = True,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, RankInterval]:
    """Ranks of models by their mean, with bootstrap intervals over trials.

    Each model's trials are drawn again with replacement, apart from the other models'; deviations
    from its mean are stretched by ``sqrt(n / (n - 1))``, because a bootstrap over n trials is too
    narrow by that (Hesterberg, The American Statistician 69 (2015)). An
    interval holds the ranks of all but ``1 - level`` of the resamples; with tied means it counts
    the best and the worst of the ranks that the tie could take.

    Parameters
    ----------
    models : mapping of str to mapping of int to float
        For each model, the score of each trial by its seed; nan where a trial failed.
    higher : bool
        Whether a higher score is better.
    level : float
        Share of the resamples that an interval holds.
    resamples : int
    seed : int
        Of the generator: equal input, in whatever order, gives equal intervals.

    Returns
    -------
    dict of str to RankInterval
        Without models that have no value at all. A single trial says nothing of its spread: a
        model with one gets every rank, and could stand above or below every other.
    """
    # sorted, so that what is drawn does not depend on the order in which they are given
    values = {
        name: np.array([v for _, v in sorted(models[name].items()) if np.isfinite(v)], dtype=float)
        for name in sorted(models)
    }
    values = {name: v for name, v in values.items() if len(v)}
    if not values:
        return {}
    sign = -1.0 if higher else 1.0
    means = sign * np.array([v.mean() for v in values.values()])
    # rounding keeps means that are equal in exact arithmetic tied
    ranks = stats.rankdata(np.round(means, 12), method="min").astype(int)
    spans = _spans({n: sign * v for n, v in values.items() if len(v) > 1}, level, resamples, seed)
    single = len(values) - len(spans)
    found = {}
    for name, rank in zip(values, ranks, strict=True):
        low, high = spans.get(name, (1, len(spans) + 1))
        ends = min(low, int(rank)), max(high + single if name in spans else len(values), int(rank))
        found[name] = RankInterval(int(rank), *ends)
    return found


def _spans(
    values: Mapping[str, Floats], level: float, resamples: int, seed: int
) -> dict[str, tuple[int, int]]:
    """Rank intervals among models that each have a spread; lower values rank first."""
    if not values:
        return {}
    rng = np.random.default_rng(seed)
    drawn = np.stack([_resampled_means(v, resamples, rng) for v in values.values()], axis=1)
    best = stats.rankdata(np.round(drawn, 12), method="min", axis=1)
    worst = stats.rankdata(np.round(drawn, 12), method="max", axis=1)
    tail = (1 - level) / 2
    low = np.quantile(best, tail, axis=0, method="lower")
    high = np.quantile(worst, 1 - tail, axis=0, method="higher")
    return {name: (int(low[i]), int(high[i])) for i, name in enumerate(values)}


def _resampled_means(values: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    n, mean = len(values), values.mean()
    draws = values[rng.integers(0, n, (resamples, n))].mean(axis=1)
    return np.asarray(mean + np.sqrt(n / (n - 1)) * (draws - mean))


def tie_groups(
    ordered: Sequence[str], comparisons: Iterable[Comparison], alpha: float = 0.05
) -> dict[str, str]:
    """Letters such that two models share one exactly where they do not differ significantly.

    Two models differ when their comparison's adjusted p-value is at most ``alpha``; a pair without
    a test does not differ. The groups are the largest sets of models in which no two differ, so a
    model can be in several (it ties with two that differ from each other). Found by insertion and
    absorption: Piepho, Journal of Computational and Graphical Statistics 13 (2004), 456-466.

    Parameters
    ----------
    ordered : sequence of str
        Models, best first: the best one is always in group ``a``.
    comparisons : iterable of Comparison
        As ``compare_models`` returns them; those of other models are passed over.
    alpha : float

    Returns
    -------
    dict of str to str
        Letters of each model, as in ``"ab"``; after ``z`` follow ``aa``, ``ab``, separated by
        commas.
    """
    place = {name: i for i, name in enumerate(ordered)}
    groups: list[frozenset[int]] = [frozenset(range(len(ordered)))]
    for comparison in comparisons:
        if comparison.first not in place or comparison.second not in place:
            continue
        if not comparison.p_adjusted <= alpha:
            continue
        pair = (place[comparison.first], place[comparison.second])
        split = []
        for group in groups:
            split += [group - {one} for one in pair] if group.issuperset(pair) else [group]
        kept: list[frozenset[int]] = []
        for group in sorted(set(split), key=len, reverse=True):
            if not any(group <= other for other in kept):
                kept.append(group)
        groups = kept
    # best first, so that the letters follow the order of the models
    groups.sort(key=sorted)
    names = [_letters(i) for i in range(len(groups))]
    comma = "," if len(groups) > len(string.ascii_lowercase) else ""
    return {
        model: comma.join(n for n, group in zip(names, groups, strict=True) if i in group)
        for model, i in place.items()
    }


def _letters(number: int) -> str:
    """Letters a to z, then aa, ab and so on."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = string.ascii_lowercase[rest] + letters
    return letters
