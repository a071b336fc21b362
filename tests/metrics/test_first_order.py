"""Whether gradients tell what letters do: on networks whose gradient is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from motifidelity.metrics.attribution.first_order import score_gradient

M, L = 6, 15
RNG = np.random.default_rng(1)
CODES = RNG.integers(0, 4, (M, L)).astype(np.uint8)
X = np.eye(4)[CODES]
W = RNG.normal(size=(L, 4))


def substituted(logit):
    """Exact changes (M, L, 4) of a logit of one-hot letters, one substitution after the other."""
    found = np.zeros((M, L, 4))
    for i, place, letter in np.ndindex(found.shape):
        other = X[i].copy()
        other[place] = np.eye(4)[letter]
        found[i, place, letter] = logit(other) - logit(X[i])
    return found


def fidelity(gradient, changes):
    (score,) = score_gradient(gradient, changes, CODES)
    assert (score.metric, score.method, score.n) == ("gradient_fidelity", "saliency", M)
    return score.value


def test_a_linear_network_s_gradient_tells_all_and_its_opposite_the_opposite():
    changes = substituted(lambda x: (x * W).sum())
    gradient = np.broadcast_to(W, (M, L, 4))
    assert fidelity(gradient, changes) == pytest.approx(1.0)
    assert fidelity(gradient + RNG.normal(size=(M, L, 1)), changes) == pytest.approx(1.0)
    assert fidelity(-3 * gradient, changes) == pytest.approx(-1.0)


def test_a_curved_network_s_gradient_tells_most_and_equals_scipy():
    changes = substituted(lambda x: np.tanh((x * W).sum() / 4))
    inner = np.array([(x * W).sum() / 4 for x in X])
    gradient = (1 - np.tanh(inner) ** 2)[:, None, None] * W / 4
    own = (gradient * X).sum(2, keepdims=True)
    other = X == 0
    expected = stats.pearsonr((gradient - own)[other], changes[other]).statistic
    assert fidelity(gradient, changes) == pytest.approx(expected)
    assert 0.6 < expected < 1


def test_a_term_that_vanishes_at_every_one_hot_input_is_found_out():
    """c S x (x - 1): zero there, with a gradient of c S at the own letter and -c S elsewhere."""
    changes = substituted(lambda x: (x * W).sum())
    painted = np.zeros((L, 1))
    painted[4:9] = 1
    decoy = 50 * painted * np.where(X == 1, 1.0, -1.0)
    assert fidelity(np.broadcast_to(W, (M, L, 4)) + decoy, changes) < 0.3


def test_without_any_spread_there_is_no_correlation():
    changes = substituted(lambda x: (x * W).sum())
    assert np.isnan(fidelity(np.ones((M, L, 4)), changes))
    assert np.isnan(fidelity(np.broadcast_to(W, (M, L, 4)), 0 * changes))
    with pytest.raises(ValueError, match="must be"):
        score_gradient(np.ones((M, L)), changes, CODES)
