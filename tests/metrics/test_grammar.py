import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.truth.grammar import (
    class_logits,
    count_distribution,
    pool_log_likelihood,
    pool_logits,
)

COUNTS = {1: 0.6, 2: 0.4}


def test_the_number_of_motifs_of_the_real_tasks(motif_classes, regulatory_code):
    shares = [0.5, 0.25, 0.17, 0.05, 0.03]
    for dataset, fewest in ((motif_classes, 1), (regulatory_code, 3)):
        grammar = dataset.spec.grammar
        got = count_distribution(np.cumsum(grammar.count_weights), grammar.count_offset)
        assert list(got) == list(range(fewest, fewest + 5))
        assert list(got.values()) == pytest.approx(shares)
        # Most sequences of the dataset are drawn so; long ones are drawn again.
        split = dataset.splits["train"]
        number = np.bincount(split.implants.sequence, minlength=len(split.sequences))
        for k, share in got.items():
            assert (number == k).mean() == pytest.approx(share, abs=0.015)


def odds_by_enumeration(sequence, motifs, counts, wanted):
    """Summed odds of every way to place motifs, one by one; `wanted` says which choices count."""
    length = len(sequence)
    strands = [(index, ppm[::s, ::s]) for index, ppm in enumerate(motifs) for s in (1, -1)]
    mean_width = np.mean([len(ppm) for ppm in motifs])
    total = 0.0
    for number, share in counts.items():
        room = length - number * mean_width
        ways = math.gamma(room + number + 1) / math.gamma(number + 1) / math.gamma(room + 1)
        for chosen in itertools.product(strands, repeat=number):
            if not wanted({index for index, _ in chosen}):
                continue
            for starts in itertools.combinations(range(length), number):
                spans = [(s, s + len(ppm)) for s, (_, ppm) in zip(starts, chosen, strict=True)]
                if spans[-1][1] > length:
                    continue
                if any(a[1] > b[0] for a, b in itertools.pairwise(spans)):
                    continue
                odds = 1.0
                for start, (_, ppm) in zip(starts, chosen, strict=True):
                    here = sequence[start : start + len(ppm)]
                    odds *= np.prod(ppm[np.arange(len(ppm)), here] / 0.25)
                total += share / ways * odds / len(strands) ** number
    return total


def small():
    rng = np.random.default_rng(0)
    motifs = [rng.dirichlet([1.0] * 4, size=width) for width in (2, 3, 2)]
    return motifs, rng.integers(0, 4, (5, 8), dtype=np.uint8)


def test_the_likelihood_equals_a_sum_over_all_placements():
    motifs, sequences = small()
    expected = [odds_by_enumeration(s, motifs, COUNTS, lambda _: True) for s in sequences]
    np.testing.assert_allclose(pool_log_likelihood(sequences, motifs, COUNTS), np.log(expected))
    core = [odds_by_enumeration(s, motifs[:1], COUNTS, lambda _: True) for s in sequences]
    np.testing.assert_allclose(
        pool_logits(sequences, motifs[:1], motifs[1:], COUNTS), np.log(core) - np.log(expected)
    )


def test_class_odds_equal_a_sum_over_all_placements():
    motifs, sequences = small()
    got = class_logits(sequences, motifs, COUNTS)
    for c in range(3):
        present, absent = (
            [
                odds_by_enumeration(
                    s, motifs, COUNTS, lambda chosen, k=kind, c=c: (c in chosen) == k
                )
                for s in sequences
            ]
            for kind in (True, False)
        )
        np.testing.assert_allclose(got[:, c], np.log(present) - np.log(absent))


def test_the_classifier_beats_the_networks_of_the_study(motif_classes, regulatory_code):
    """The study's networks and ours reach a mean AUROC of 0.974 and 0.976."""
    split = motif_classes.splits["test"].head(1000)
    grammar = motif_classes.spec.grammar
    counts = count_distribution(np.cumsum(grammar.count_weights), grammar.count_offset)
    motifs = [motif.ppm.T for motif in motif_classes.implanted]
    logits = class_logits(split.sequences, motifs, counts)
    assert np.isfinite(logits).all()
    assert roc_auc_score(split.labels, logits) == pytest.approx(0.986, abs=0.004)
    # Calibrated: the mean probability is the share of sequences that have the class.
    probability = 1 / (1 + np.exp(-logits))
    assert probability.mean(axis=0) == pytest.approx(split.labels.mean(axis=0), abs=0.03)

    split = regulatory_code.splits["test"].head(500)
    grammar = regulatory_code.spec.grammar
    counts = count_distribution(np.cumsum(grammar.count_weights), grammar.count_offset)
    motifs = [motif.ppm.T for motif in regulatory_code.implanted]
    logits = pool_logits(split.sequences, motifs[:5], motifs[5:], counts)
    assert roc_auc_score(split.labels[:, 0], logits) > 0.99


def test_strand_and_order_change_nothing():
    motifs, sequences = small()
    expected = class_logits(sequences, motifs, COUNTS)
    np.testing.assert_allclose(class_logits(3 - sequences[:, ::-1], motifs, COUNTS), expected)
    np.testing.assert_allclose(class_logits(sequences[::-1], motifs, COUNTS), expected[::-1])
