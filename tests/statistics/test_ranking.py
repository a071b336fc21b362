"""Ranks, their intervals, and groups of ties."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.statistics import Comparison, compare_models, rank_intervals, tie_groups


def trials(mean, spread, n, seed):
    return dict(enumerate(np.random.default_rng(seed).normal(mean, spread, n)))


def test_models_far_apart_have_one_rank_each():
    models = {name: trials(mean, 0.001, 5, i) for i, (name, mean) in enumerate(ORDER.items())}
    found = rank_intervals(models)
    assert {n: (r.rank, r.low, r.high) for n, r in found.items()} == {
        "good": (1, 1, 1), "fair": (2, 2, 2), "poor": (3, 3, 3)
    }  # fmt: skip
    lower = rank_intervals(models, higher=False)
    assert [lower[n].rank for n in ORDER] == [3, 2, 1]


ORDER = {"good": 0.9, "fair": 0.7, "poor": 0.5}


def test_models_alike_could_stand_anywhere():
    models = {str(i): trials(0.5, 0.1, 5, i) for i in range(4)}
    found = rank_intervals(models)
    assert sorted(r.rank for r in found.values()) == [1, 2, 3, 4]
    assert all(r.low <= r.rank <= r.high for r in found.values())
    assert np.mean([r.high - r.low for r in found.values()]) > 1.5


def test_a_rank_interval_holds_the_true_rank_as_often_as_it_says():
    rng = np.random.default_rng(0)
    means = [0.8, 0.75, 0.7]
    held = 0
    for run in range(200):
        models = {str(i): dict(enumerate(rng.normal(m, 0.05, 5))) for i, m in enumerate(means)}
        found = rank_intervals(models, resamples=500, seed=run)
        held += sum(found[str(i)].low <= i + 1 <= found[str(i)].high for i in range(3))
    assert held / 600 >= 0.93


def test_a_single_trial_gets_every_rank_and_no_trial_none():
    models = {"one": {0: 0.9}, "many": trials(0.5, 0.01, 5, 0), "failed": {0: float("nan")}}
    found = rank_intervals(models)
    assert set(found) == {"one", "many"}
    assert (found["one"].low, found["one"].high) == (1, 2)
    assert (found["many"].low, found["many"].high) == (1, 2)
    assert rank_intervals({}) == {}


def test_the_order_in_which_models_and_trials_are_given_changes_nothing():
    models = {str(i): trials(0.5 + i / 50, 0.1, 5, i) for i in range(6)}
    turned = {name: dict(reversed(values.items())) for name, values in reversed(models.items())}
    assert rank_intervals(turned) == rank_intervals(models)


def test_equal_means_share_the_better_rank_and_their_interval_covers_both():
    models = {"a": dict.fromkeys(range(3), 1.0), "b": dict.fromkeys(range(3), 1.0)}
    found = rank_intervals(models)
    assert [(r.rank, r.low, r.high) for r in found.values()] == [(1, 1, 2), (1, 1, 2)]


def comparison(first, second, p):
    return Comparison(first, second, "t", 3, 3, 0.0, 0.0, 0.0, p, p)


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


def test_equal_input_gives_equal_intervals():
    models = {str(i): trials(0.5, 0.1, 4, i) for i in range(3)}
    assert rank_intervals(models, seed=3) == rank_intervals(models, seed=3)
