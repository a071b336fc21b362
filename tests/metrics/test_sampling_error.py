"""Standard errors over test sequences are those that a bootstrap gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.areas import rank_rows
from motifidelity.metrics.attribution.maps import VIEWS, score_error, score_maps
from motifidelity.metrics.sampling_error import auroc_error, mean_error, pearson_error


def draw(seed=0, n=400):
    """Logits of three classes that hang together, one of them rare, with ties."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 1))
    labels = (shared + rng.normal(size=(n, 3)) > [0, 0.5, 2]).astype(int)
    logits = labels + shared + rng.normal(size=(n, 3))
    return np.round(logits, 1), labels


def test_the_error_of_the_auroc_is_that_of_a_bootstrap_over_sequences():
    logits, labels = draw()
    rng = np.random.default_rng(1)
    means = []
    for _ in range(2000):
        rows = rng.integers(0, len(labels), len(labels))
        means.append(np.nanmean(rank_rows(logits[rows].T, labels[rows].T).auroc))
    # 2,000 draws give a standard deviation to 1.6 %
    assert auroc_error(logits, labels) == pytest.approx(np.std(means), rel=0.06)


def test_of_one_class_it_is_delong_s():
    logits, labels = draw(2)
    held = labels[:, 0] == 1
    x, y = logits[held, 0], logits[~held, 0]
    told = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    assert told.mean() == pytest.approx(roc_auc_score(held, logits[:, 0]))
    variance = told.mean(axis=1).var() / len(x) + told.mean(axis=0).var() / len(y)
    assert auroc_error(logits[:, :1], labels[:, :1]) == pytest.approx(np.sqrt(variance))


def test_a_class_with_one_label_is_left_out_and_without_any_other_there_is_no_error():
    logits, labels = draw()
    more = np.c_[labels, np.zeros(len(labels), int)]
    assert auroc_error(np.c_[logits, logits[:, 0]], more) == auroc_error(logits, labels)
    assert np.isnan(auroc_error(logits, np.zeros_like(labels)))
    assert np.isnan(mean_error([0.5, np.nan]))


def test_the_error_of_maps_is_that_of_a_bootstrap_over_sequences():
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 0.1, 200)
    # the last view is below the floor, and counts 0
    areas = {
        view: 0.8 + 0.02 * number + shared + rng.normal(0, 0.05, 200)
        for number, view in enumerate(VIEWS[:-1])
    } | {VIEWS[-1]: np.full(200, 0.4)}
    for mine in areas.values():
        mine[7] = np.nan
    found = score_error(areas, 0.6)
    means = []
    for _ in range(2000):
        rows = rng.integers(0, 200, 200)
        views = {view: float(np.nanmean(mine[rows])) for view, mine in areas.items()}
        means.append(score_maps(views, 0.6)[0].value)
    assert found.value == pytest.approx(np.std(means), rel=0.06)
    assert found.n == 199
    assert np.isnan(score_error({}, 0.6).value)


def test_the_error_of_a_correlation_is_that_of_a_bootstrap_over_sequences():
    rng = np.random.default_rng(3)
    exact = rng.exponential(size=(400, 1))
    predicted = 2 * exact + rng.normal(size=(400, 1)) * (1 + exact) - 5
    found = []
    for _ in range(2000):
        rows = rng.integers(0, 400, 400)
        found.append(np.corrcoef(predicted[rows, 0], exact[rows, 0])[0, 1])
    assert pearson_error(predicted, exact) == pytest.approx(np.std(found), rel=0.06)
    # a constant answer has r 0 whatever the sequences; a constant truth has none
    assert pearson_error(np.full((400, 1), 0.3), exact) == 0
    assert np.isnan(pearson_error(predicted, np.ones((400, 1))))
    # two targets alike are no more than one
    twice = pearson_error(np.hstack([predicted] * 2), np.hstack([exact] * 2))
    assert twice == pytest.approx(pearson_error(predicted, exact))
