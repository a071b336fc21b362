"""Rank sets and tie groups: how far an order of models can be trusted."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from motifidelity.statistics.comparison import Comparison
from motifidelity.statistics.two_way import LEVEL, MIN_TRIALS, Layout, Values, by_model, lay_out

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class RankSet:
    """A model's rank (1 is best; equal models share the better rank), and those it could have."""

    rank: int
    low: int
    high: int


def ranks_of(layout: Layout, *, higher: bool = True, level: float = LEVEL) -> tuple[Ranks, ...]:
    """Ranks of models laid out on one score, and the ranks that their differences leave possible.

    A model could have every rank but those of models told to be better and of models told to be
    worse. All sets of a board hold the true ranks together with probability `level` (Mogstad,
    Romano, Shaikh & Wilhelm, Review of Economic Studies 91, 476 (2024), with Tukey's range in
    place of their bootstrap, for which trials are too few).

    Parameters
    ----------
    layout : Layout
    higher : bool
        Whether a higher score is better.
    level : float

    Returns
    -------
    rank, low, high : ndarray (..., models) int64
    """
    sign = 1.0 if higher else -1.0
    better = sign * layout.differences > layout.half_width(level)
    # rounding keeps effects that are equal in exact arithmetic tied
    rank = stats.rankdata(np.round(-sign * layout.effects, 12), method="min", axis=-1).astype(int)
    low = 1 + better.sum(axis=-2)
    high = layout.effects.shape[-1] - better.sum(axis=-1)
    return rank, np.minimum(low, rank), np.maximum(high, rank)


def rank_sets(
    models: Mapping[str, Values], *, higher: bool = True, level: float = LEVEL
) -> dict[str, RankSet]:
    """Rank models by their effects in one layout, with the ranks that each could have.

    Parameters
    ----------
    models : mapping of str to mapping of int to float
        For each model, the score of each trial by its seed; not finite where a trial failed.
    higher : bool
        Whether a higher score is better.
    level : float
        Probability that all sets hold the true ranks.

    Returns
    -------
    dict of str to RankSet
        Of models with `MIN_TRIALS` values or more. The others are provisional: they have no rank
        and are in nobody's set. Where no residual degree of freedom is left, or residuals do not
        vary at all, every rank is possible.
    """
    names, values = by_model(models, MIN_TRIALS)
    if not names:
        return {}
    found = ranks_of(lay_out(values), higher=higher, level=level)
    return {name: RankSet(*map(int, one)) for name, *one in zip(names, *found, strict=True)}


def tie_groups(ordered: Sequence[str], comparisons: Iterable[Comparison]) -> dict[str, str]:
    """Letters such that two models share one exactly where they are not told apart.

    A pair without a test is not told apart. The groups are the largest sets of models in which no
    two differ, so a model can be in several (it ties with two that differ from each other). Found
    by insertion and absorption: Piepho, Journal of Computational and Graphical Statistics 13
    (2004), 456-466.

    Parameters
    ----------
    ordered : sequence of str
        Models, best first: the best one is always in group ``a``.
    comparisons : iterable of Comparison
        As ``compare_models`` returns them; those of other models are passed over.

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
        if not comparison.told:
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
