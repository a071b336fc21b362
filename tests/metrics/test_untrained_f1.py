"""What filters that nobody trained are worth."""

from __future__ import annotations

import numpy as np
import pytest
from untrained_filters import drawn_f1, strongest

from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.filters.filter_f1 import score_f1
from motifidelity.metrics.filters.untrained_f1 import SCORERS
from motifidelity.metrics.oracle import oracle_filters, scan_filters
from motifidelity.metrics.scored import ScoredNetwork
from motifidelity.scoring.truth import Truth


@pytest.fixture(scope="module")
def truth(regulatory_code):
    return Truth(regulatory_code, regulatory_code.spec.profile("quick"))


def scored(truth, sites):
    logits = np.zeros(truth.test.labels.shape, np.float32)
    network = ScoredNetwork(truth.scored, logits, None, untrained_top_sites=sites)
    return SCORERS[0].score(network)


def test_the_figure_is_f1_of_the_filters_of_before(truth):
    filters = oracle_filters([motif.ppm.T for motif in truth.true_motifs])
    sites = scan_filters(truth.test.sequences, filters, top=100).top_sites
    task = truth.scored
    expected = score_f1(
        task.sequences, sites, task.database, task.accepted, task.accepted_implanted
    )
    (score,) = scored(truth, sites)
    assert score.metric == "untrained_filter_f1"
    assert score.value == next(s.value for s in expected if s.metric == "filter_f1")
    # the motifs themselves, written into a network
    assert score.value > 0.9
    assert scored(truth, None) == []
    assert all_metrics()[score.metric].own_network


def test_filters_as_they_are_drawn_stay_under_the_bound_of_the_docs(truth):
    assert max(drawn_f1(truth, draws=3, filters=24)) <= 0.2


def test_drawn_filters_are_read_as_a_network_s_are(truth):
    kernel = np.random.default_rng(0).standard_normal((19, 4, 3)).astype(np.float32)
    sequences = truth.test.sequences[:60]
    bases = np.arange(11, sequences.shape[1] - 10)
    found = strongest(sequences, kernel.reshape(76, 3), bases, 19)
    expected = scan_filters(sequences, list(kernel.transpose(2, 0, 1)), top=100).top_sites
    np.testing.assert_array_equal(found, expected)
