"""A network answers a sequence, whatever stands beside it."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.metrics.repeatability import score_answers


def test_a_shift_is_in_standard_deviations_of_the_answers():
    first = np.array([0.0, 2.0, 4.0, 6.0])
    (score,) = score_answers(first, first)
    assert (score.metric, score.value, score.n) == ("answer_shift", 0.0, 4)
    (score,) = score_answers(first, first + np.array([1, -1, 1, -1]))
    # variance of 0, 2, 4, 6 is 5
    assert score.value == pytest.approx(1 / np.sqrt(5))


def test_answers_that_have_nothing_to_do_with_the_first_are_root_two_away():
    first, again = np.random.default_rng(0).normal(size=(2, 20000))
    (score,) = score_answers(first, again)
    assert score.value == pytest.approx(np.sqrt(2), abs=0.02)


def test_without_any_spread_nothing_can_be_said():
    assert np.isnan(score_answers(np.ones(3), np.zeros(3))[0].value)
    assert np.isnan(score_answers(np.ones(0), np.ones(0))[0].value)
    with pytest.raises(ValueError, match="must be"):
        score_answers(np.ones(3), np.ones(4))
