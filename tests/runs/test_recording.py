"""What a row is warned of."""

from __future__ import annotations

import numpy as np
import pytest

from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.runs.recording import accuracy_warnings


def warned(logits, labels):
    scores = score_accuracy(logits, labels, [f"class {i}" for i in range(labels.shape[1])])
    return accuracy_warnings(scores, logits, labels)


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 2, (1000, 3), dtype=np.uint8)


def test_a_network_that_answers_all_sequences_alike_is_told(labels):
    (warning,) = warned(np.ones(labels.shape, np.float32), labels)
    assert "every sequence gets the same answer" in warning


def test_accuracy_at_chance_is_told_and_better_accuracy_is_not(labels):
    noise = np.random.default_rng(1).normal(size=labels.shape).astype(np.float32)
    (warning,) = warned(noise, labels)
    assert "at chance (AUROC 0." in warning
    assert warned(noise + 0.5 * labels, labels) == []


def test_noise_is_at_chance_as_often_as_three_standard_errors_say(labels):
    rng = np.random.default_rng(2)
    told = [warned(rng.normal(size=labels.shape), labels) for _ in range(300)]
    # one-sided, 0.13% are above
    assert sum(not warnings for warnings in told) <= 3
