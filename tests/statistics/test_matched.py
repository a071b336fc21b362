"""Interpretability at matched accuracy: the front by brute force, residuals by algebra."""

from __future__ import annotations

import numpy as np

from motifidelity.statistics import at_matched_accuracy, pareto_front


def test_the_front_is_what_no_other_model_dominates():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (2, 40)).astype(float)
    expected = [
        not any(
            x[j] >= x[i] and y[j] >= y[i] and (x[j] > x[i] or y[j] > y[i]) for j in range(len(x))
        )
        for i in range(len(x))
    ]
    assert pareto_front(x, y).tolist() == expected


def test_a_lower_score_can_be_the_better_one():
    assert pareto_front([0.9, 0.9], [3.0, 1.0], higher=False).tolist() == [False, True]


def test_a_model_without_a_value_is_not_on_the_front_and_dominates_nobody():
    assert pareto_front([0.9, np.nan, 0.5], [0.1, 0.9, np.nan]).tolist() == [True, False, False]
    assert pareto_front([], []).tolist() == []


def test_residuals_are_what_the_normal_equations_leave():
    rng = np.random.default_rng(1)
    x = rng.uniform(0.9, 1.0, 12)
    y = 2 * x + rng.normal(0, 0.1, 12)
    found = at_matched_accuracy(x, y)
    design = np.stack([np.ones_like(x), x], axis=1)
    coefficients = np.linalg.solve(design.T @ design, design.T @ y)
    np.testing.assert_allclose(found.adjusted, y - design @ coefficients, atol=1e-12)


def test_what_accuracy_alone_explains_is_worth_nothing():
    x = np.array([0.5, 0.6, 0.7, 0.8])
    found = at_matched_accuracy(x, 3 * x + 1)
    np.testing.assert_allclose(found.adjusted, 0, atol=1e-12)
    above = at_matched_accuracy(x, 3 * x + 1 + np.array([0, 0.5, 0, 0]))
    assert above.adjusted.argmax() == 1


def test_equal_accuracies_leave_the_deviation_from_the_mean():
    found = at_matched_accuracy([0.9, 0.9, 0.9], [1.0, 2.0, 6.0])
    assert found.adjusted.tolist() == [-2.0, -1.0, 3.0]


def test_two_models_are_too_few_to_adjust():
    found = at_matched_accuracy([0.5, 0.9, np.nan], [0.1, 0.2, 0.3])
    assert np.isnan(found.adjusted).all()
    assert found.front.tolist() == [False, True, False]
