"""Ranks, their sets, and groups of ties."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from motifidelity.statistics import Comparison, compare_models, rank_sets, tie_groups
from motifidelity.statistics.two_way import CAUTION


def trials(mean, spread, n, seed):
    return dict(enumerate(np.random.default_rng(seed).normal(mean, spread, n)))


ORDER = {"good": 0.9, "fair": 0.7, "poor": 0.5}


def test_models_far_apart_have_one_rank_each():
    models = {name: trials(mean, 0.001, 5, i) for i, (name, mean) in enumerate(ORDER.items())}
    found = rank_sets(models)
    assert {n: (r.rank, r.low, r.high) for n, r in found.items()} == {
        "good": (1, 1, 1), "fair": (2, 2, 2), "poor": (3, 3, 3)
    }  # fmt: skip
    lower = rank_sets(models, higher=False)
    assert [lower[n].rank for n in ORDER] == [3, 2, 1]
    assert (lower["poor"].low, lower["poor"].high) == (1, 1)


def test_models_alike_could_stand_anywhere():
    models = {str(i): trials(0.5, 0.1, 5, i) for i in range(4)}
    found = rank_sets(models)
    assert sorted(r.rank for r in found.values()) == [1, 2, 3, 4]
    assert {(r.low, r.high) for r in found.values()} == {(1, 4)}


def test_a_set_leaves_out_the_ranks_of_those_that_tukey_tells_apart():
    rng = np.random.default_rng(0)
    groups = [rng.normal(mean, 0.1, 6) for mean in (0.9, 0.85, 0.6, 0.58, 0.1)]
    # no seed is shared, so that it is the one-way analysis that scipy has
    models = {str(i): dict(enumerate(v, start=100 * i)) for i, v in enumerate(groups)}
    interval = stats.tukey_hsd(*groups).confidence_interval(0.95)
    found = rank_sets(models, level=1 - 0.05 / CAUTION)
    for i in range(5):
        low = 1 + sum(interval.high[i, j] < 0 for j in range(5))
        high = 5 - sum(interval.low[i, j] > 0 for j in range(5))
        assert (found[str(i)].low, found[str(i)].high) == (low, high)


def test_trials_of_lucky_seeds_do_not_lift_a_model():
    rng = np.random.default_rng(1)
    luck = np.array([0.2, 0.2, 0.2, -0.2, -0.2, -0.2])
    models = {
        "every": dict(enumerate(0.6 + luck + rng.normal(0, 0.001, 6))),
        "other": dict(enumerate(0.5 + luck + rng.normal(0, 0.001, 6))),
        "lucky": dict(enumerate(0.55 + luck[:3] + rng.normal(0, 0.001, 3))),
    }
    assert np.mean(list(models["lucky"].values())) > np.mean(list(models["every"].values()))
    found = rank_sets(models)
    assert [found[name].rank for name in ("every", "lucky", "other")] == [1, 2, 3]
    assert (found["lucky"].low, found["lucky"].high) == (2, 2)


def test_models_of_fewer_than_three_trials_are_provisional_and_in_nobody_s_set():
    models = {
        "two": {0: 0.9, 1: 0.8, 2: float("nan")},
        "many": trials(0.5, 0.01, 5, 0),
        "failed": {0: float("nan")},
    }
    found = rank_sets(models)
    assert set(found) == {"many"}
    assert (found["many"].rank, found["many"].low, found["many"].high) == (1, 1, 1)
    assert rank_sets({}) == {}


def test_the_order_in_which_models_and_trials_are_given_changes_nothing():
    models = {str(i): trials(0.5 + i / 50, 0.1, 5, i) for i in range(6)}
    turned = {name: dict(reversed(values.items())) for name, values in reversed(models.items())}
    assert rank_sets(turned) == rank_sets(models)


def test_equal_means_share_the_better_rank_and_their_set_covers_both():
    models = {"a": dict.fromkeys(range(3), 1.0), "b": dict.fromkeys(range(3), 1.0)}
    found = rank_sets(models)
    assert [(r.rank, r.low, r.high) for r in found.values()] == [(1, 1, 2), (1, 1, 2)]


def comparison(first, second, p):
    return Comparison(first, second, "t", 3, 3, 0.0, 0.0, 0.0, p, p, p <= 0.05)


def test_a_model_between_two_that_differ_is_in_both_their_groups():
    pairs = [comparison("a", "b", 0.5), comparison("b", "c", 0.5), comparison("a", "c", 0.01)]
    assert tie_groups(["a", "b", "c"], pairs) == {"a": "a", "b": "ab", "c": "b"}


def test_a_pair_without_a_test_does_not_differ():
    assert tie_groups(["x", "y"], [comparison("x", "y", float("nan"))]) == {"x": "a", "y": "a"}
    assert tie_groups([], []) == {}


@settings(deadline=None)
@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.data())))
def test_two_models_share_a_letter_exactly_where_they_do_not_differ(given_):
    n, data = given_
    names = [f"m{i}" for i in range(n)]
    differ = {pair: data.draw(st.booleans()) for pair in itertools.combinations(names, 2)}
    groups = tie_groups(names, [comparison(*pair, 0.0 if d else 1.0) for pair, d in differ.items()])
    for (first, second), different in differ.items():
        assert bool(set(groups[first]) & set(groups[second])) != different
    assert "a" in groups[names[0]]
    assert all(groups.values())


def test_more_than_26_groups_have_names_of_two_letters():
    names = [f"m{i}" for i in range(30)]
    pairs = [comparison(*pair, 0.0) for pair in itertools.combinations(names, 2)]
    groups = tie_groups(names, pairs)
    assert (groups["m0"], groups["m25"], groups["m26"]) == ("a", "z", "aa")
    assert len(set(groups.values())) == 30


def test_tie_groups_follow_real_comparisons():
    models = {
        "good": trials(0.9, 0.01, 5, 0),
        "twin": trials(0.9, 0.01, 5, 1),
        "poor": trials(0.5, 0.01, 5, 2),
    }
    ordered = sorted(models, key=lambda m: -np.mean(list(models[m].values())))
    groups = tie_groups(ordered, compare_models(models))
    assert groups == {"good": "a", "twin": "a", "poor": "b"}
