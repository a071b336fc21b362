"""How much of its accuracy a network keeps where only its filters see the sequence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.filters.scan_reliance import score_reliance

N = 400
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, (N, 2))
LOGITS = LABELS + RNG.normal(size=(N, 2))


def figure(scan_logits, logits=LOGITS, labels=LABELS):
    (score,) = score_reliance(logits, scan_logits, labels, ["a", "b"])
    assert (score.metric, score.n) == ("scan_reliance", len(logits))
    return score.value


def test_a_network_that_answers_alike_keeps_exactly_all():
    assert figure(LOGITS) == 1.0
    assert figure(3 * LOGITS - 1) == 1.0


def test_the_share_is_of_the_mean_area_above_chance():
    noisy = LOGITS + 2 * RNG.normal(size=LOGITS.shape)
    full, left = (
        np.mean([roc_auc_score(LABELS[:, c], each[:, c]) for c in range(2)]) - 0.5
        for each in (LOGITS, noisy)
    )
    assert figure(noisy) == pytest.approx(left / full)
    assert figure(np.zeros_like(LOGITS)) == 0.0
    assert figure(-LOGITS) == pytest.approx(-1)


def test_a_network_at_chance_has_no_share_to_tell():
    assert math.isnan(figure(LOGITS, logits=RNG.normal(size=(N, 2))))


def test_a_class_of_one_label_is_left_out():
    labels = LABELS.copy()
    labels[:, 1] = 1
    assert figure(LOGITS, labels=labels) == 1.0
    assert math.isnan(figure(LOGITS, labels=np.ones_like(LABELS)))
