"""The two-way layout: against dense least squares, closed forms, scipy, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motifidelity.statistics import by_model, lay_out, ranks_of
from motifidelity.statistics.two_way import CAUTION, OUTLYING


def dense(values):
    """Effects and squared errors per unit of variance by least squares on dummies (numpy)."""
    models, seeds = values.shape
    rows = [(m, s) for m in range(models) for s in range(seeds) if np.isfinite(values[m, s])]
    y = np.array([values[row] for row in rows])
    dummies = np.zeros((len(rows), models + seeds))
    for i, (m, s) in enumerate(rows):
        dummies[i, m] = dummies[i, models + s] = 1
    found, _, rank, _ = np.linalg.lstsq(dummies, y, rcond=None)
    inverse = np.linalg.pinv(dummies.T @ dummies)
    contrast = np.zeros((models, models, models + seeds))
    for i in range(models):
        for j in range(models):
            contrast[i, j, i] += 1
            contrast[i, j, j] -= 1
    unit = np.einsum("ijp,pq,ijq->ij", contrast, inverse, contrast)
    squares = float(((y - dummies @ found) ** 2).sum())
    return contrast @ found, unit, squares, len(rows) - rank


def holes(seed, models=6, seeds=5):
    """Scores of alike spread of which a third is missing, all joined by a model of every seed."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(models, seeds)) + rng.normal(size=seeds)
    values[1:][rng.random((models - 1, seeds)) < 0.3] = np.nan
    values[np.isnan(values).all(axis=1), 0] = 0.0
    return values


@pytest.mark.parametrize("seed", range(5))
def test_an_unbalanced_layout_is_that_of_dense_least_squares(seed, monkeypatch):
    # no model with a spread of its own
    monkeypatch.setattr("motifidelity.statistics.two_way.OUTLYING", 0.0)
    values = holes(seed)
    found = lay_out(values)
    differences, unit, squares, freedom = dense(values)
    np.testing.assert_allclose(found.differences, differences, atol=1e-12)
    np.testing.assert_allclose(found.error**2, unit * squares / freedom, atol=1e-12)
    assert (found.freedom == freedom).all()
    assert found.blocked.all()


def test_a_balanced_layout_has_the_closed_form_of_a_two_way_analysis():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5)) + 10 * rng.normal(size=5)
    residuals = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    variance = (residuals**2).sum() / (3 * 4)
    found = lay_out(values)
    assert not found.own.any()
    np.testing.assert_allclose(found.effects, values.mean(1))
    np.testing.assert_allclose(found.error[0, 1], np.sqrt(2 * variance / 5))
    assert found.freedom[0, 1] == 12
    # of two models it is the paired t test
    pair = lay_out(values[:2])
    expected = stats.ttest_rel(*values[:2])
    assert pair.differences[0, 1] / pair.error[0, 1] == pytest.approx(expected.statistic)
    assert pair.freedom[0, 1] == expected.df


def test_what_one_model_adds_is_what_the_layout_of_the_others_lacks():
    values = holes(7)
    values[3] = 30 * np.random.default_rng(0).normal(size=5)
    found = lay_out(values)
    assert found.own.tolist() == [False, False, False, True, False, False]
    others = np.delete(values, 3, axis=0)
    *_, squares, freedom = dense(others)
    *_, all_squares, all_freedom = dense(values)
    added = (all_squares - squares) / (all_freedom - freedom) / (squares / freedom)
    assert stats.f.sf(added, all_freedom - freedom, freedom) < OUTLYING / 6
    assert (found.freedom[3] == all_freedom - freedom).all()
    # the others are as without it
    rest = [0, 1, 2, 4, 5]
    alone = lay_out(others)
    np.testing.assert_allclose(found.differences[np.ix_(rest, rest)], alone.differences)
    np.testing.assert_allclose(found.error[np.ix_(rest, rest)], alone.error)
    assert found.freedom[0, 1] == freedom
    assert found.error[3, 0] > 3 * found.error[0, 1]
    # a model's own spread is that of its deviations from what the others say of the seeds
    balanced = np.random.default_rng(1).normal(size=(5, 4))
    balanced[2] *= 40
    away = balanced[2] - np.delete(balanced, 2, axis=0).mean(0)
    *_, squares, freedom = dense(np.delete(balanced, 2, axis=0))
    expected = away.var(ddof=1) / 4 + squares / freedom / 4
    assert lay_out(balanced).error[2, 0] ** 2 == pytest.approx(expected)


def test_seeds_that_nothing_joins_are_compared_without_them(monkeypatch):
    monkeypatch.setattr("motifidelity.statistics.two_way.OUTLYING", 0.0)
    rng = np.random.default_rng(2)
    one, two = rng.normal(size=3), rng.normal(size=4)
    values = np.full((2, 7), np.nan)
    values[0, :3], values[1, 3:] = one, two
    found = lay_out(values)
    expected = stats.ttest_ind(one, two)
    assert not found.blocked[0, 1]
    assert found.differences[0, 1] / found.error[0, 1] == pytest.approx(expected.statistic)
    assert found.freedom[0, 1] == 5
    # of three such groups it is Tukey's and Kramer's test
    more = rng.normal(size=5)
    values = np.full((3, 12), np.nan)
    values[0, :3], values[1, 3:7], values[2, 7:] = one, two, more
    level = 1 - 0.05 / CAUTION  # whose quantile is that of 95 %
    interval = stats.tukey_hsd(one, two, more).confidence_interval(0.95)
    found = lay_out(values)
    half = found.half_width(level)
    pairs = np.triu_indices(3, 1)
    np.testing.assert_allclose((found.differences + half)[pairs], interval.high[pairs], rtol=1e-3)


def test_a_run_with_other_seeds_takes_the_blocks_from_nobody():
    rng = np.random.default_rng(3)
    values = np.full((5, 6), np.nan)
    values[:4, :3] = rng.normal(size=(4, 3)) + 100 * rng.normal(size=3)
    alone = lay_out(values[:4, :3])
    values[4, 3:] = rng.normal(size=3)
    found = lay_out(values)
    assert found.blocked[:4, :4].all()
    assert not found.blocked[4, :4].any()
    # its own degrees of freedom go to its seeds
    np.testing.assert_allclose(found.error[:4, :4], alone.error)
    assert found.error[4, 0] > 10 * found.error[0, 1]


def test_seeds_that_take_every_degree_of_freedom_are_left_out():
    values = np.full((2, 5), np.nan)
    values[0, :3], values[1, 2:] = [1, 2, 4], [3, 5, 9]
    found = lay_out(values)
    assert (found.blocked[0, 1], found.freedom[0, 1]) == (False, 4)
    assert found.differences[0, 1] == pytest.approx(7 / 3 - 17 / 3)


@pytest.mark.parametrize("values", [[[2.0], [1.0]], [[1.0] * 3, [0.5] * 3, [0.2] * 3], [[3.0]]])
def test_where_nothing_varies_nothing_is_told(values):
    found = lay_out(values)
    rank, low, high = ranks_of(found)
    assert low.tolist() == [1] * len(values)
    assert high.tolist() == [len(values)] * len(values)
    assert rank.tolist() == list(range(1, len(values) + 1))


def test_a_model_that_varies_is_told_from_constant_ones_by_its_own_spread():
    values = np.zeros((6, 3))
    values[0] = [0.90, 0.91, 0.93]
    found = lay_out(values)
    assert found.own.tolist() == [True] + [False] * 5
    assert np.isinf(found.error[1, 2])
    assert found.error[0, 1] == pytest.approx(stats.sem(values[0]))


def test_models_are_told_by_name_and_trials_that_failed_left_out():
    models = {"b": {0: 1.0, 5: float("nan"), 7: 2.0}, "a": {5: 3.0, 0: float("inf")}, "c": {}}
    names, values = by_model(models)
    assert names == ["a", "b"]
    np.testing.assert_equal(values, [[np.nan, 3.0, np.nan], [1.0, np.nan, 2.0]])
    assert by_model(models, least=2)[0] == ["b"]
    assert by_model({})[0] == []


# by simulation


BOARDS = 600
SPREADS = ("equal", "log-normal", "heavy tails", "one of five times")


def boards(models, trials, spread, gap, rng):
    """Scores of models that lie `gap` SD apart, the first best, with seeds that matter."""
    errors = rng.normal(size=(BOARDS, models, trials))
    if spread == "log-normal":
        errors *= rng.lognormal(0, 0.5, (BOARDS, models, 1))
    elif spread == "heavy tails":
        errors = rng.standard_t(3, errors.shape)
    elif spread == "one of five times":
        errors[np.arange(BOARDS), rng.integers(0, models, BOARDS)] *= 5
    means = -gap * np.arange(models)[:, None]
    return means + errors + 0.5 * rng.normal(size=(BOARDS, 1, trials))


def at_least(share, wanted):
    """Within three standard errors of a simulation."""
    return share >= wanted - 3 * np.sqrt(wanted * (1 - wanted) / BOARDS)


@pytest.mark.parametrize("gap", [0.05, 1.0])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("trials", [3, 10])
@pytest.mark.parametrize("models", [8, 20])
def test_rank_sets_hold_all_true_ranks_of_a_board_as_often_as_they_say(models, trials, spread, gap):
    rng = np.random.default_rng([models, trials, SPREADS.index(spread), int(100 * gap)])
    rank, low, high = ranks_of(lay_out(boards(models, trials, spread, gap, rng)))
    true = np.arange(1, models + 1)
    held = ((low <= true) & (true <= high)).all(axis=1).mean()
    assert at_least(held, 0.95), held
    assert ((low <= rank) & (rank <= high)).all()


@pytest.mark.parametrize("models", [8, 20])
def test_neighbours_four_sd_apart_are_told_apart_by_three_trials_in_four_boards_of_five(models):
    rng = np.random.default_rng(models)
    found = lay_out(boards(models, 3, "equal", 4.0, rng))
    told = found.differences > found.half_width()
    neighbours = told[:, np.arange(models - 1), np.arange(1, models)]
    # pairs of one board go together, so a pair at a time: the share of boards that tell it
    assert at_least(neighbours.mean(axis=0).mean(), 0.80)
    assert neighbours.mean(axis=0).min() >= 0.80 - 4 * np.sqrt(0.16 / BOARDS)


def test_blocking_narrows_what_seeds_spread():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(7, 3)) + 3 * rng.normal(size=3)
    blocked = lay_out(values).error[0, 1]
    means = values - values.mean(1, keepdims=True)
    assert blocked < 0.7 * np.sqrt(2 / 3 * (means**2).sum() / 14)
