"""Specificity of class maps against brute force, and negatives against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.attribution.negatives import score_negatives
from motifidelity.metrics.attribution.specificity import OTHERS, OWN_AGAINST_OTHERS
from motifidelity.metrics.attribution.specificity import score_specificity as score
from motifidelity.metrics.truth.bases import base_truth
from motifidelity.metrics.truth.spans import find_spans

NAMES = ("A1", "B2", "C3")
# a column of no information in the middle of each, which is never scored
FLAT = np.full(4, 0.25)
MOTIFS = [np.array([sharp, FLAT, sharp]) for sharp in np.eye(4)[:3] * 0.96 + 0.01]
WIDTH, LENGTH, N = 3, 40, 12


class Implants:
    """Sites as arrays, as datasets have them."""

    def __init__(self, rows):
        self.sequence, self.motif, self.start, self.strand = np.array(rows).T


def drawn(seed=0):
    """Sequences with one to three implants apart from each other; two of them overlap."""
    rng = np.random.default_rng(seed)
    rows = [
        (row, motif, 3 + 12 * place, 1)
        for row in range(N)
        for place, motif in enumerate(rng.permutation(3)[: rng.integers(1, 4)])
    ]
    free = next(m for m in range(3) if (0, m) not in {(r, k) for r, k, *_ in rows[:2]})
    rows.append((0, free, rows[0][2] + 2, 1))
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    for row, motif, start, _ in rows:
        codes[row, [start, start + 2]] = motif
    spans = find_spans(codes, Implants(rows), MOTIFS)
    labels = np.zeros((N, 3), np.uint8)
    labels[[r[0] for r in rows], [r[1] for r in rows]] = 1
    return base_truth(codes.shape, spans, MOTIFS), spans, labels, rows


def auroc_by_hand(high, low):
    pairs = [(a > b) + (a == b) / 2 for a in high for b in low]
    return np.mean(pairs) if pairs else np.nan


def test_specificity_equals_the_count_of_pairs():
    truth, spans, labels, rows = drawn()
    sequence, classes = np.nonzero(labels)
    importance = np.random.default_rng(1).normal(size=(len(sequence), LENGTH)).round(1)
    scores = score("ism", importance, sequence, classes, truth, spans, range(3), NAMES)
    expected = {OWN_AGAINST_OTHERS: [[], [], []], OTHERS: [[], [], []]}
    shared = 0
    for k, (row, index) in enumerate(zip(sequence, classes, strict=True)):
        at = {}
        for r, motif, start, _ in rows:
            for base in (start, start + 2):
                if r == row:
                    at.setdefault(base, set()).add(motif)
        shared += sum(len(held) > 1 for held in at.values())
        own = [importance[k, b] for b, held in at.items() if held == {index}]
        other = [importance[k, b] for b, held in at.items() if len(held) == 1 and index not in held]
        background = importance[k, truth.background[row]]
        expected[OWN_AGAINST_OTHERS][index].append(auroc_by_hand(own, other))
        expected[OTHERS][index].append(auroc_by_hand(other, background))
    assert shared
    alone = 0
    for metric, by_class in expected.items():
        mine = {s.target: s for s in scores if s.metric == metric}
        for name, values in zip(NAMES, by_class, strict=True):
            defined = [value for value in values if not np.isnan(value)]
            assert mine[name].value == pytest.approx(np.mean(defined))
            assert mine[name].n == len(defined)
            alone += len(values) - len(defined)
        means = [np.nanmean(values) for values in by_class]
        assert mine[None].value == pytest.approx(np.mean(means))
        assert mine[None].sd == pytest.approx(np.std(means))
    assert alone, "sequences that hold one class alone say nothing of it"


def test_a_map_that_points_at_every_motif_cannot_tell_and_one_of_its_class_can():
    truth, spans, labels, _ = drawn()
    sequence, classes = np.nonzero(labels)
    every = truth.implanted[sequence].astype(float)

    def found(importance):
        scores = score("ism", importance, sequence, classes, truth, spans, range(3), NAMES)
        return {s.metric: s.value for s in scores if s.target is None}

    assert found(every) == {OWN_AGAINST_OTHERS: 0.5, OTHERS: 1.0}
    own = np.zeros_like(every)
    for motif in range(3):
        for k in np.flatnonzero(classes == motif):
            here = (spans.sequence == sequence[k]) & (spans.motif == motif) & (spans.role == 0)
            for start in spans.start[here]:
                own[k, [start, start + 2]] = 1
    assert found(own) == {OWN_AGAINST_OTHERS: 1.0, OTHERS: 0.5}
    assert found(np.full_like(every, 3.0)) == {OWN_AGAINST_OTHERS: 0.5, OTHERS: 0.5}


def test_a_class_that_is_never_beside_another_has_no_figure():
    truth, spans, _, _ = drawn()
    scores = score(
        "ism", np.ones((1, LENGTH)), np.array([1]), np.array([0]), truth, spans, range(3), NAMES
    )
    empty = [s for s in scores if s.target in NAMES[1:]]
    assert len(empty) == 4
    assert all(np.isnan(s.value) and s.n == 0 for s in empty)


def test_negatives_are_ranked_with_positives_on_one_scale():
    rng = np.random.default_rng(2)
    positive, negative = rng.normal(1, 1, (5, 30)), rng.normal(0, 1, (7, 30)).round(1)
    implanted, background = rng.random((5, 30)) < 0.2, rng.random((7, 30)) < 0.8
    (found,) = score_negatives("ism", positive, implanted, negative, background)
    values = np.concatenate([positive[implanted], negative[background]])
    truth = np.arange(len(values)) < implanted.sum()
    assert found.value == pytest.approx(roc_auc_score(truth, values))
    assert (found.n, found.method) == (7, "ism")
    # each negative's loudest base is as loud as any motif: the ranks within a sequence hide it
    (loud,) = score_negatives("ism", positive, implanted, negative + 9, background)
    assert loud.value == 0
