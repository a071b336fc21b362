"""Tukey's studentised range beside scipy's, and beside Student's t, which it is for two."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motifidelity.statistics.studentised import range_chance, range_quantile


@pytest.mark.parametrize(("models", "freedom"), [(8, 2), (8, 14), (3, 1), (80, 300)])
def test_chances_are_scipy_s(models, freedom):
    size = range_quantile(0.035, models, freedom)
    assert stats.studentized_range.sf(size, models, freedom) == pytest.approx(0.035, abs=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 5, 50])
def test_of_two_it_is_student_s_t(freedom):
    t = np.linspace(0, 12, 40)
    expected = 2 * stats.t.sf(t, freedom)
    np.testing.assert_allclose(range_chance(np.sqrt(2) * t, 2, freedom), expected, atol=1e-4)


def test_ends_are_certain():
    assert range_chance(0.0, 5, 4) == pytest.approx(1.0)
    assert range_chance(1e12, 5, 4) < 1e-3
    assert range_quantile(0.05, 5, 0) == np.inf
    assert range_quantile(0.05, 1, 5) == np.inf
