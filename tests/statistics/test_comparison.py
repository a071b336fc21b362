"""Pairwise comparison: against scipy, the definition of Holm's method, and its false alarms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from motifidelity.statistics import compare_models, compare_pair, holm
from motifidelity.statistics.two_way import CAUTION


def by_seed(values, first=0):
    return dict(enumerate(map(float, values), start=first))


def test_equal_seeds_are_compared_in_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6))
    found = compare_pair("a", by_seed(a), "b", by_seed(b))
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval(0.95)
    assert found.test == "paired t"
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.difference == pytest.approx((a - b).mean())
    ranked = compare_pair("a", by_seed(a), "b", by_seed(b), "rank")
    assert ranked.test == "Wilcoxon signed-rank"
    assert ranked.p == pytest.approx(stats.wilcoxon(a, b, zero_method="pratt").pvalue)


def test_other_seeds_are_compared_as_two_groups():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=5), rng.normal(size=7)
    found = compare_pair("a", by_seed(a), "b", by_seed(b, first=100))
    assert found.test == "Welch t"
    assert found.p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert (found.num_first, found.num_second) == (5, 7)
    ranked = compare_pair("a", by_seed(a), "b", by_seed(b, first=100), "rank")
    assert ranked.p == pytest.approx(stats.mannwhitneyu(a, b).pvalue)


def test_a_subset_of_the_seeds_pairs_and_a_failed_trial_is_left_out():
    a = {0: 0.9, 1: 0.8, 2: 0.85, 3: math.nan, 4: 0.7}
    b = {0: 0.7, 1: 0.5, 2: 0.6}
    found = compare_pair("a", a, "b", b)
    assert found.test == "paired t"
    assert (found.num_first, found.num_second) == (3, 3)
    assert found.difference == pytest.approx((0.2 + 0.3 + 0.25) / 3)


def test_two_common_seeds_are_too_few_to_pair():
    assert compare_pair("a", {0: 1.0, 1: 2.0}, "b", {0: 0.5, 1: 0.1}).test == "Welch t"


def test_one_trial_has_no_test():
    found = compare_pair("a", {0: 1.0}, "b", by_seed([0.5, 0.6, 0.7]))
    assert found.test == "none"
    assert math.isnan(found.p)
    assert found.difference == pytest.approx(0.4)


def test_trials_without_any_spread_claim_no_more_than_a_permutation_can():
    pairs = compare_pair("a", by_seed([1.0] * 4), "b", by_seed([0.5] * 4))
    assert (pairs.test, pairs.p) == ("sign flips", 2 / 2**4)
    groups = compare_pair("a", by_seed([1.0] * 3), "b", by_seed([0.5] * 3, first=9))
    assert (groups.test, groups.p) == ("permutation", 2 / math.comb(6, 3))
    same = compare_pair("a", by_seed([1.0] * 4), "b", by_seed([1.0] * 4))
    assert same.p == 1.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("constant", [[0.9, 0.9], [0.9, 0.9 + 1e-16], [0.1] * 3 + [0.1 + 1e-17]])
def test_a_constant_model_beside_one_with_spread_is_tested_without_a_warning(constant):
    spread = [0.5, 0.6]
    expected = stats.ttest_1samp(spread, constant[0])  # Welch's test with one variance of zero
    interval = expected.confidence_interval(0.95)
    found = compare_pair("a", by_seed(spread), "b", by_seed(constant, first=9))
    assert found.test == "Welch t"
    assert found.p == pytest.approx(expected.pvalue)
    assert found.low == pytest.approx(interval.low - constant[0])
    mirrored = compare_pair("b", by_seed(constant, first=9), "a", by_seed(spread))
    assert (mirrored.p, mirrored.high) == pytest.approx((found.p, -found.low))


def test_holm_is_the_closure_of_bonferroni_tests():
    # a hypothesis falls when Bonferroni refuses every set of hypotheses that it is in
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 0.2, 5)
    sets = [s for n in range(1, 6) for s in itertools.combinations(range(5), n)]
    closed = [max(min(1, len(s) * min(p[list(s)])) for s in sets if i in s) for i in range(5)]
    np.testing.assert_allclose(holm(p), closed)


def test_holm_passes_missing_p_values_through():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert holm([]).shape == (0,)


def test_equal_models_are_seldom_told_apart():
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(300):
        models = {str(m): by_seed(rng.normal(size=5)) for m in range(4)}
        found = compare_models(models)
        assert len(found) == 6
        alarms += any(c.told for c in found)
    # any false alarm among six comparisons: at most 5%, with three standard errors
    assert alarms / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_tests_of_ranks_are_told_by_holm_s_p_values():
    rng = np.random.default_rng(7)
    models = {str(m): by_seed(rng.normal(m / 4, 0.5, size=9)) for m in range(5)}
    found = compare_models(models, "rank", level=0.9)
    expected = holm([c.p for c in found])
    assert [c.told for c in found] == list(expected <= 0.1)
    assert {c.told for c in found} == {True, False}


def test_pairs_are_compared_in_one_layout_of_all_models():
    rng = np.random.default_rng(4)
    seeds = rng.normal(size=5)
    models = {name: by_seed(rng.normal(i, 0.5, 5) + seeds) for i, name in enumerate("abcd")}
    found = {(c.first, c.second): c for c in compare_models(models)}
    table = np.array([list(values.values()) for values in models.values()])
    residuals = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    error = math.sqrt((residuals**2).sum() / 12 * 2 / 5)
    one = found["a", "c"]
    gap = table[0].mean() - table[2].mean()
    assert (one.test, one.num_first, one.num_second) == ("range, by seed", 5, 5)
    assert one.difference == pytest.approx(gap)
    assert one.p == pytest.approx(2 * stats.t.sf(abs(gap) / error, 12))
    half = stats.studentized_range.ppf(1 - 0.05 * CAUTION, 4, 12) * error / math.sqrt(2)
    assert (one.low, one.high) == pytest.approx((gap - half, gap + half), rel=1e-3)
    # the pairs of some are those of all
    some = compare_models(models, among=["c", "a"])
    assert [(c.first, c.second, c.told) for c in some] == [("c", "a", one.told)]
    assert some[0].high == pytest.approx(-one.low)


def test_adjusted_p_values_agree_with_what_is_told():
    rng = np.random.default_rng(6)
    for _ in range(20):
        models = {name: by_seed(rng.normal(i / 2, 0.5, 4)) for i, name in enumerate("abcde")}
        for level in (0.8, 0.95):
            for found in compare_models(models, level=level):
                assert found.told == (found.low > 0 or found.high < 0)
                assert found.told == (found.p_adjusted <= 1 - level + 1e-4)
                assert found.p <= found.p_adjusted + 1e-4


def test_a_model_of_fewer_than_three_trials_is_not_tested_beside_others():
    found = compare_models({"a": by_seed([1.0, 2.0]), "b": by_seed([0.5, 0.6, 0.7])})
    assert [(c.test, c.told, c.difference) for c in found] == [("none", False, pytest.approx(0.9))]
    assert math.isnan(found[0].p_adjusted)
    assert compare_models({"a": by_seed([1.0])}) == []
    [none] = compare_models({"a": by_seed([1.0]), "b": {}})
    assert (none.test, none.num_second) == ("none", 0)
    assert math.isnan(none.difference)
