"""Motif discovery: the oracle's maps give the true motifs, noise gives none."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from motifidelity.errors import UserError
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.scoring.discovery import pattern_scores, require_modisco
from motifidelity.scoring.truth import Truth, present_classes


@pytest.fixture(scope="module")
def truth(regulatory_code):
    spec = regulatory_code.spec
    profile = dataclasses.replace(spec.profile("full"), test=600, explained=150)
    profile = dataclasses.replace(profile, methods=("deepshap", "ism", "paper_ig", "random"))
    return Truth(regulatory_code, profile)


@pytest.fixture(scope="module")
def arrays(truth):
    codes = truth.test.sequences[truth.explained]
    network = oracle_network(truth)
    evidence = network.maps(codes, mutagenesis=False)
    noise = np.random.default_rng(0).normal(size=evidence.shape).astype(np.float32)
    return present_classes(
        truth,
        {
            "explained_logits": np.zeros((len(codes), 1), np.float32),
            "deepshap": evidence * np.eye(4, dtype=np.float32)[codes][..., None],
            "deepshap_hypothetical": evidence,
            "ism": noise,
            "paper_ig": evidence,
            "random": noise,
        },
    )


@pytest.fixture(scope="module")
def scores(truth, arrays):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    found = {(s.metric, s.method): s for s in pattern_scores(truth, arrays)}
    # discovery seeds numpy's global stream, and must leave it as it was
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    return found


def test_the_true_motifs_are_discovered_in_the_oracle_s_maps(scores):
    assert scores["pattern_recall", "deepshap"].value >= 0.8
    assert scores["pattern_recall", "deepshap"].n == 5
    assert scores["pattern_precision", "deepshap"].value >= 0.8


def test_noise_has_no_patterns_of_true_motifs(scores):
    assert scores["pattern_recall", "ism"].value <= 0.2


def test_only_maps_that_speak_of_all_letters_are_searched(scores):
    assert {method for _, method in scores} == {"deepshap", "ism"}


def test_without_the_extra_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "modiscolite", None)
    with pytest.raises(UserError, match=r"pip install 'motifidelity\[patterns\]'"):
        require_modisco()
