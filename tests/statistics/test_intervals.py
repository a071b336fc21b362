"""Means over trials: against closed forms, scipy, and their coverage in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motifidelity.statistics import estimate, estimate_over_items, trial_interval


def test_an_interval_over_trials_is_student_s():
    values = np.array([0.81, 0.84, 0.79, 0.86, 0.90])
    found = estimate(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (found.mean, found.sd) == pytest.approx((values.mean(), values.std(ddof=1)))


def test_the_closed_form_is_the_limit_of_resampling_trials():
    rng = np.random.default_rng(1)
    values = rng.normal(size=6)
    draws = values[rng.integers(0, 6, (200_000, 6))].mean(axis=1)
    half = stats.t.ppf(0.975, 5) * np.sqrt(draws.var() * 6 / 5)
    found = estimate(values)
    assert found.high - found.mean == pytest.approx(half, rel=0.01)


def test_many_cells_at_once_equal_one_at_a_time():
    rng = np.random.default_rng(2)
    groups = [rng.normal(size=n) for n in (1, 2, 5, 9)]
    low, high = trial_interval(
        [g.mean() for g in groups],
        [g.std(ddof=1) if len(g) > 1 else np.nan for g in groups],
        [len(g) for g in groups],
    )
    single = [estimate(g) for g in groups]
    np.testing.assert_allclose(low, [e.low for e in single], equal_nan=True)
    np.testing.assert_allclose(high, [e.high for e in single], equal_nan=True)


def test_failed_and_missing_trials_show_in_the_coverage_and_not_in_the_mean():
    found = estimate([0.8, np.nan, 0.9, np.inf], expected=10)
    assert (found.mean, found.done, found.expected) == (pytest.approx(0.85), 2, 10)
    assert (found.coverage, found.complete) == ("2/10", False)
    nothing = estimate([np.nan], expected=3)
    assert np.isnan(nothing.mean)
    assert nothing.coverage == "0/3"


def test_one_trial_has_no_interval_and_no_sd():
    found = estimate([0.7])
    assert found.mean == 0.7
    assert np.isnan([found.sd, found.low, found.high]).all()


def test_an_interval_stays_within_the_metric_s_bounds():
    found = estimate([0.99, 1.0, 0.9], bounds=(0.0, 1.0))
    assert found.high == 1.0
    assert found.low > 0.0


@pytest.mark.parametrize("trials", [3, 10])
def test_the_interval_over_trials_covers_the_truth_as_often_as_it_says(trials):
    rng = np.random.default_rng(3)
    covered = 0
    for values in rng.normal(0.8, 0.05, (2000, trials)):
        found = estimate(values)
        covered += found.low <= 0.8 <= found.high
    # four binomial standard errors
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("by_trial", "by_sequence"), [(0.1, 0.05), (0.02, 0.5), (0.0, 0.3), (0.1, 0.0)]
)
def test_the_interval_over_trials_and_sequences_covers_the_truth(by_trial, by_sequence):
    rng = np.random.default_rng(4)
    trials, sequences, runs = 4, 40, 300
    covered = 0
    for seed in range(runs):
        values = (
            0.6
            + rng.normal(0, by_trial, (trials, 1))
            + rng.normal(0, by_sequence, (1, sequences))
            + rng.normal(0, 0.02, (trials, sequences))
        )
        found = estimate_over_items(values, resamples=200, seed=seed)
        covered += found.low <= 0.6 <= found.high
    # at least nominal within sampling error; the form errs on the wide side, but not by much
    assert 0.90 <= covered / runs <= 0.995


def test_its_width_is_the_closed_form_of_crossed_variances():
    rng = np.random.default_rng(5)
    trials, sequences = 8, 60
    values = rng.normal(0, 1, (trials, 1)) + rng.normal(0, 3, (1, sequences))
    found = estimate_over_items(values, resamples=20_000)
    by_trial = values.mean(axis=1).var(ddof=1) / trials
    by_sequence = values.mean(axis=0).var(ddof=1) / sequences
    freedom = (by_trial + by_sequence) ** 2 / (
        by_trial**2 / (trials - 1) + by_sequence**2 / (sequences - 1)
    )
    half = stats.t.ppf(0.975, freedom) * np.sqrt(by_trial + by_sequence)
    assert found.high - found.mean == pytest.approx(half, rel=0.02)
    assert found.mean == pytest.approx(values.mean())


def test_one_trial_has_an_interval_over_its_sequences_alone():
    values = np.random.default_rng(6).normal(size=(1, 50))
    found = estimate_over_items(values, resamples=20_000)
    expected = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert np.isnan(found.sd)


def test_undefined_sequences_are_left_out_of_their_trial_alone():
    values = np.array([[0.2, np.nan, 0.4], [0.6, 0.8, np.nan], [np.nan] * 3])
    found = estimate_over_items(values, expected=4, resamples=200)
    assert found.mean == pytest.approx((0.3 + 0.7) / 2)
    assert found.coverage == "2/4"
    assert found.low < found.mean < found.high


def test_equal_input_gives_equal_intervals():
    values = np.random.default_rng(7).normal(size=(3, 30))
    assert estimate_over_items(values, seed=1) == estimate_over_items(values, seed=1)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_outside_0_and_1_is_refused(level):
    with pytest.raises(ValueError, match="not between 0 and 1"):
        estimate([1.0, 2.0], level=level)


def test_a_flat_list_of_items_is_refused():
    with pytest.raises(ValueError, match=r"give \(trials, sequences\)"):
        estimate_over_items([1.0, 2.0])
