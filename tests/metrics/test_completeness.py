"""Completeness: a closed form, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.metrics.attribution.completeness import score_completeness


def test_error_is_a_share_of_the_mean_difference():
    maps = np.zeros((2, 5, 4))
    maps[0, 1, 2], maps[1, 0, 0] = 10.0, -4.0
    # differences of logits: 10 - 1 = 9 and -4 - (-1) = -3
    [score] = score_completeness("deepshap", maps, [1.0, -1.0])
    assert score.value == pytest.approx(1.0 / 6.0)
    assert (score.metric, score.method, score.n) == ("completeness_error", "deepshap", 2)


def test_an_exact_map_has_none():
    maps = np.random.default_rng(0).normal(size=(3, 5, 4))
    [score] = score_completeness("integrated_gradients", maps, np.zeros(3))
    assert score.value == 0


def test_nothing_is_said_where_no_logit_differs_or_maps_need_not_add_up():
    [score] = score_completeness("deeplift", np.zeros((2, 5, 4)), [0.0, 0.0])
    assert np.isnan(score.value)
    assert score_completeness("saliency", np.ones((2, 5, 4)), [0.0, 0.0]) == []


@pytest.mark.parametrize("error", [[1.0], [np.nan, 0.0], np.zeros((2, 3))])
def test_errors_that_do_not_fit_are_refused(error):
    with pytest.raises(ValueError, match="completeness"):
        score_completeness("deepshap", np.ones((2, 5, 4)), error)
