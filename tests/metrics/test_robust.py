"""Kinds of negatives, decoys, shifts and strands: by hand, by scikit-learn, and what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.robust.decoys import score_decoys, span_means
from motifidelity.metrics.robust.negative_kinds import score_kinds
from motifidelity.metrics.robust.shifted_sets import scaled, score_shifted
from motifidelity.metrics.robust.strands import score_strands

RNG = np.random.default_rng(3)
KINDS = ("permuted", "look-alike", "mutated")
# of positives -1
KIND = RNG.permutation(np.repeat([-1, 0, 1, 2], (30, 10, 12, 14)))
POSITIVE = KIND < 0


def values(scores):
    return {score.target: score.value for score in scores if score.metric != "auroc_worst"}


def test_positives_are_ranked_against_each_kind_alone():
    logits = (POSITIVE + 0.4 * KIND + RNG.normal(size=len(KIND))).round(1)
    *each, worst = score_kinds(logits, POSITIVE, KIND, KINDS)
    expected = {}
    for number, name in enumerate(KINDS):
        keep = POSITIVE | (number == KIND)
        expected[name] = roc_auc_score(POSITIVE[keep], logits[keep])
    assert values(each) == pytest.approx(expected)
    assert [score.n for score in each] == [40, 42, 44]
    assert (worst.metric, worst.n) == ("auroc_worst", 3)
    assert worst.value == min(expected.values())


@pytest.mark.parametrize(
    ("said", "expected"), [(POSITIVE, 1), (~POSITIVE, 0), (0.1, 0.5), (np.nan, 0.5)]
)
def test_kinds_of_answers_that_are_known(said, expected):
    logits = np.broadcast_to(said, KIND.shape).astype(float)
    assert {score.value for score in score_kinds(logits, POSITIVE, KIND, KINDS)} == {expected}


def test_a_kind_that_does_not_occur_is_left_out_of_the_worst():
    *each, worst = score_kinds(POSITIVE * 1.0, POSITIVE, KIND, (*KINDS, "reversed"))
    assert np.isnan(each[-1].value)
    assert (worst.value, worst.n) == (1, 3)
    none = score_kinds(np.zeros(0), np.zeros(0), np.zeros(0), KINDS)
    assert np.isnan([score.value for score in none]).all()


# sequence, start, end, whether it is an instance
SITES = np.array(
    [
        (0, 0, 8, 1),
        (0, 10, 25, 0),
        (0, 30, 40, 0),
        (1, 2, 12, 1),
        (2, 5, 9, 1),
        (2, 20, 32, 0),
        (2, 12, 18, 1),
    ]
)
TRUE = SITES[:, 3] == 1


def decoys(importance, sites=SITES):
    (score,) = score_decoys("ism", importance, *sites.T)
    assert (score.metric, score.method) == ("decoy_auroc", "ism")
    return score


def painted(value_of):
    importance = np.zeros((3, 40))
    for sequence, start, end, true in SITES:
        importance[sequence, start:end] = value_of(true)
    return importance


def test_decoys_are_told_within_a_sequence_by_the_mean_per_base():
    importance = RNG.normal(size=(3, 40)).astype(np.float32)
    means = [importance[s, a:b].astype(float).mean() for s, a, b, _ in SITES]
    assert span_means(importance, *SITES.T[:3]) == pytest.approx(means)
    expected = [
        roc_auc_score(TRUE[mine], np.array(means)[mine])
        for mine in (SITES[:, 0] == 0, SITES[:, 0] == 2)
    ]
    score = decoys(importance)
    assert (score.value, score.sd) == pytest.approx((np.mean(expected), np.std(expected)))
    # the second sequence has no decoy
    assert score.n == 2
    shuffled = decoys(importance, SITES[[4, 2, 6, 0, 3, 1, 5]])
    assert shuffled.value == pytest.approx(score.value)


def test_decoys_of_maps_that_are_known():
    assert decoys(painted(lambda true: 2 * true - 1)).value == 1
    assert decoys(painted(lambda true: 1 - 2 * true)).value == 0
    # one importance for every site: no width tells
    assert decoys(painted(lambda true: 0.1)).value == 0.5
    assert decoys(np.full((3, 40), 0.1)).value == 0.5
    assert decoys(np.full((3, 40), np.nan)).value == 0.5
    none = decoys(np.zeros((3, 40)), SITES[:0])
    assert np.isnan(none.value)
    assert none.n == 0


def test_shifts_are_scaled_by_the_oracle_of_their_set():
    found = scaled([0.7, 0.4, np.nan, 0.95, 0.6], [0.9, 0.8, 0.9, 0.95, 0.5], 0.5)
    assert found == pytest.approx([0.5, 0, 0, 1, np.nan], nan_ok=True)
    *each, mean = score_shifted("maps", [0.7, 0.4, 0.6], [0.9, 0.8, 0.5], 0.5, ["GC", "one", "-"])
    assert {score.metric for score in (*each, mean)} == {"shifted_maps"}
    assert [score.target for score in each] == ["GC", "one", "-"]
    assert (mean.value, mean.n) == pytest.approx((0.25, 2))
    (empty,) = score_shifted("maps", [], [], 0.5, [])
    assert (np.isnan(empty.value), empty.n) == (True, 0)


def test_a_network_that_knows_nothing_gets_nothing_on_shifted_sets():
    assert score_shifted("auroc", [0.5] * 3, [0.9] * 3, 0.5, list("abc"))[-1].value == 0
    # below chance is no worse than chance
    assert score_shifted("auroc", [0.1] * 3, [0.9] * 3, 0.5, list("abc"))[-1].value == 0


def test_strands_by_scipy_and_of_answers_that_are_known():
    given = RNG.normal(size=(50, 6))
    reverse = given.copy()
    reverse[:, 0] += RNG.normal(size=50)
    reverse[:, 2] *= -1
    given[:, 3], reverse[:, 4], reverse[:, 5] = 0.1, 0.1, np.nan
    *each, mean = score_strands(given, reverse, list("abcdef"))
    r = stats.pearsonr(given[:, 0], reverse[:, 0]).statistic
    assert [score.value for score in each] == pytest.approx([r, 1, -1, 0, 0, 0])
    assert (mean.value, mean.n) == pytest.approx((r / 6, 6))
    (_, none) = score_strands(given[:0, :1], reverse[:0, :1], ["a"])
    assert none.value == 0
