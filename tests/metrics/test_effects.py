"""Effects of letters and of designed sites: by hand, against scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, r2_score

from motifidelity.metrics.effects.designed_effects import (
    interaction,
    mean_response,
    score_epistasis,
    score_responses,
)
from motifidelity.metrics.effects.variants import (
    score_map_variants,
    score_variants,
    substitutions,
)
from motifidelity.metrics.regression import score_regression

RNG = np.random.default_rng(2)
M, L = 4, 12
CODES = RNG.integers(0, 4, (M, L)).astype(np.uint8)
THERE = np.eye(4)[CODES]
EXACT = RNG.normal(size=(M, L, 4)) * 0.3 * (1 - THERE)


def values(scores):
    return {(score.metric, score.target): score.value for score in scores}


def test_predictions_equal_the_libraries():
    exact = RNG.normal(size=(50, 2))
    found = 0.5 * exact + RNG.normal(size=(50, 2))
    by = values(score_regression(found, exact, ["x", "y"]))
    for column, name in enumerate(("x", "y")):
        f, e = found[:, column], exact[:, column]
        assert by["pearson", name] == pytest.approx(stats.pearsonr(f, e).statistic)
        assert by["spearman", name] == pytest.approx(stats.spearmanr(f, e).statistic)
        assert by["r2", name] == pytest.approx(r2_score(e, f))
        assert by["calibration_slope", name] == pytest.approx(stats.linregress(f, e).slope)
    assert by["pearson", None] == pytest.approx((by["pearson", "x"] + by["pearson", "y"]) / 2)


def test_predictions_that_are_known():
    exact = RNG.normal(size=(50, 1))

    def found(said):
        by = values(score_regression(said, exact, ["y"]))
        return [by[name, None] for name in ("pearson", "spearman", "r2", "calibration_slope")]

    assert found(exact) == pytest.approx([1, 1, 1, 1])
    # half the spread: the truth rises by two for each
    assert found(exact / 2)[3] == pytest.approx(2)
    assert found(-exact)[:2] == pytest.approx([-1, -1])
    for said in (np.full_like(exact, 0.1), np.full_like(exact, np.nan)):
        assert found(said) == pytest.approx([0, 0, 0, np.nan], nan_ok=True)
    assert np.isnan(values(score_regression(exact[:0], exact[:0], ["y"]))["r2", None])
    with pytest.raises(ValueError, match="must agree"):
        score_regression(exact, exact, ["x", "y"])


def test_substitutions_by_hand():
    entries = np.array([[[1.0, 2.0, 4.0, 8.0], [0.0, 0.0, 3.0, 0.0]]])
    found = substitutions(entries, np.array([[2, 0]], np.uint8))
    assert found.tolist() == [[-3.0, -2.0, 4.0, 0.0, 3.0, 0.0]]
    with pytest.raises(ValueError, match="must be"):
        substitutions(entries, np.zeros((1, 3), np.uint8))


def test_variants_equal_the_libraries_sequence_by_sequence():
    changes = (EXACT + 0.2 * RNG.normal(size=EXACT.shape)) * (1 - THERE)
    r, rho, sign = (score for score in score_variants(changes, EXACT, CODES))
    expected = {"r": [], "rho": [], "sign": []}
    for row in range(M):
        other = THERE[row] == 0
        f, e = changes[row][other], EXACT[row][other]
        asked = np.abs(e) > 0.1
        expected["r"].append(stats.pearsonr(f, e).statistic)
        expected["rho"].append(stats.spearmanr(f, e).statistic)
        expected["sign"].append(balanced_accuracy_score(e[asked] > 0, f[asked] > 0))
    for score, (name, items) in zip((r, rho, sign), expected.items(), strict=True):
        assert score.metric.endswith(name)
        assert (score.value, score.sd) == pytest.approx((np.mean(items), np.std(items)))
        assert score.n == M


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (EXACT, (1, 1, 1)),
        (-EXACT, (-1, -1, 0)),
        (np.zeros_like(EXACT), (0, 0, 0.5)),
        (np.full_like(EXACT, np.nan), (0, 0, 0.5)),
    ],
)
def test_variants_of_answers_that_are_known(said, expected):
    scores = score_variants(said, EXACT, CODES)
    assert [score.value for score in scores] == pytest.approx(expected)
    # by any constant at a place a map says the same
    (of_map,) = score_map_variants("ism", said + RNG.normal(size=(M, L, 1)), EXACT, CODES)
    assert (of_map.metric, of_map.method) == ("map_variant_r", "ism")
    assert of_map.value == pytest.approx(expected[0])


def test_a_sequence_in_which_nothing_changes_is_left_out_and_counted():
    exact = EXACT.copy()
    exact[0] = 0
    exact[1] = np.abs(exact[1])
    assert [score.n for score in score_variants(exact, exact, CODES)] == [M - 1, M - 1, M - 2]
    none = score_variants(EXACT[:0], EXACT[:0], CODES[:0])
    assert [score.n for score in none] == [0, 0, 0]


def test_a_response_is_the_mean_change_over_backgrounds():
    after = np.array([[1.0, 2.0], [3.0, 6.0]])
    assert mean_response(after, np.array([1.0, 0.0])) == pytest.approx([1.0, 4.0])


def test_responses_equal_scipy_and_those_that_are_known():
    exact = np.sort(RNG.normal(size=(6, 20)), axis=1)
    found = exact.copy()
    found[0] = exact[0] ** 3
    found[2], found[3], found[4] = -2 * exact[2], 0.1, np.nan
    exact[5] = 0.5
    by = values(score_responses(found, exact, list("abcdef")))
    r = stats.pearsonr(found[0], exact[0]).statistic
    each = [by["affinity_response", name] for name in "abcdef"]
    assert each == pytest.approx([r, 1, -1, 0, 0, np.nan], nan_ok=True)
    slope = stats.linregress(exact[0], found[0]).slope
    each = [by["affinity_slope", name] for name in "abcdef"]
    assert each == pytest.approx([slope, 1, -2, np.nan, np.nan, np.nan], nan_ok=True)
    assert by["affinity_response", None] == pytest.approx(r / 5)
    assert by["affinity_slope", None] == pytest.approx((slope - 1) / 3)
    empty = score_responses(np.zeros((0, 20)), np.zeros((0, 20)), [])
    assert [score.n for score in empty] == [0, 0]


def pair(cooperation, backgrounds=3):
    """Outputs of p_a + p_b + w p_a p_b on a grid of strengths, in backgrounds of their own."""
    a, b = np.linspace(0.1, 0.9, 4)[:, None], np.linspace(0.2, 0.8, 5)[:, None]
    base = np.linspace(-1, 1, backgrounds)
    both = a[:, None] + b[None] + cooperation * a[:, None] * b[None] + base
    return both, a + base, b + base, base


def test_an_interaction_is_what_two_sites_do_beyond_each():
    a, b = np.linspace(0.1, 0.9, 4), np.linspace(0.2, 0.8, 5)
    found = interaction(*pair(1.8))
    assert found == pytest.approx(np.repeat((1.8 * np.outer(a, b))[..., None], 3, axis=2))
    assert interaction(*pair(0.0)) == pytest.approx(np.zeros((4, 5, 3)), abs=1e-12)


def epistasis(found, exact):
    (score,) = score_epistasis(found, exact)
    assert score.metric == "epistasis"
    return score.value


def test_epistasis_of_answers_that_are_known():
    exact = [interaction(*pair(1.8)), np.zeros((4, 5, 3))]
    assert epistasis(exact, exact) == 1
    # half of the interaction leaves a quarter of its squares
    assert epistasis([exact[0] / 2, exact[1]], exact) == pytest.approx(0.75)
    assert epistasis([-exact[0], exact[1]], exact) == 0
    assert epistasis([np.zeros_like(e) for e in exact], exact) == 0
    assert epistasis([np.full_like(e, np.nan) for e in exact], exact) == 0
    assert np.isnan(epistasis([exact[1]], [exact[1]]))
    assert np.isnan(epistasis([np.zeros(0)], [np.zeros(0)]))


def test_a_convex_function_of_a_sum_has_no_epistasis_though_it_correlates():
    """A correlation with the pair that cooperates would be near 1; the other pair tells."""
    grids = [pair(1.8), pair(0.0)]
    exact = [interaction(*grid) for grid in grids]
    convex = [interaction(*(np.exp(1.5 * part) for part in pair(0.0))) for _ in grids]
    assert np.corrcoef(convex[0].mean(axis=2).ravel(), exact[0].mean(axis=2).ravel())[0, 1] > 0.9
    assert epistasis(convex, exact) == 0
