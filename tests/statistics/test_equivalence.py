"""Two one-sided tests: their definition, their size, and their power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motifidelity.statistics import alike, lay_out, power, reach

RUNS = 6_000


@pytest.mark.parametrize("margin", [0.3, 0.6, 0.9])
def test_alike_is_what_both_one_sided_tests_refuse(margin):
    rng = np.random.default_rng(0)
    for _ in range(50):
        one, two = rng.normal(size=(2, 8))
        gaps = one - two
        above = stats.ttest_1samp(gaps, -margin, alternative="greater").pvalue
        below = stats.ttest_1samp(gaps, margin, alternative="less").pvalue
        found = alike(gaps.mean(), stats.sem(gaps), 7, margin)
        assert bool(found) == (max(above, below) < 0.05)


def test_without_a_degree_of_freedom_nothing_is_alike_and_without_error_all_that_is_near():
    assert not alike(0.0, 0.1, 0, 1e9)
    assert np.isinf(reach(0.1, 0))
    assert not alike(0.0, np.inf, 4, 1e9)
    assert alike(0.01, 0.0, 0, 0.02)
    assert not alike(0.03, 0.0, 0, 0.02)


@pytest.mark.parametrize("trials", [3, 10])
@pytest.mark.parametrize("spread", [0.1, 0.5, 2.0])
def test_models_a_margin_apart_are_called_alike_in_at_most_5_of_100(trials, spread):
    rng = np.random.default_rng(trials)
    seeds = rng.normal(size=(RUNS, 1, trials))
    values = spread * rng.normal(size=(RUNS, 2, trials)) + seeds
    values[:, 0] += 1.0
    found = lay_out(values)
    wrong = alike(found.differences[:, 0, 1], found.error[:, 0, 1], trials - 1, 1.0).mean()
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / RUNS)
    assert wrong == pytest.approx(
        power(1.0, spread * np.sqrt(2 / trials), trials - 1, 1.0), abs=0.01
    )


@pytest.mark.parametrize(("trials", "models"), [(3, 2), (3, 7), (10, 7)])
@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_power_is_how_often_equal_models_are_called_alike(trials, models, spread):
    rng = np.random.default_rng(models)
    error, freedom = spread * np.sqrt(2 / trials), (trials - 1) * (models - 1)
    gaps = error * rng.normal(size=RUNS)
    errors = error * np.sqrt(rng.chisquare(freedom, RUNS) / freedom)
    found = alike(gaps, errors, freedom, 1.0).mean()
    assert power(1.0, error, freedom) == pytest.approx(found, abs=0.02)
