"""Rules, by hand and by brute force: pairs, designed pairs, curves and instances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.rules.instance_effects import (
    mean_changes,
    score_instances,
    score_map_instances,
    span_sums,
)
from motifidelity.metrics.rules.rule_ranking import designed_auroc, score_designed, score_rules
from motifidelity.metrics.rules.spacing_curve import curve_agreement, spacing_curve

NAMES = ("near", "order")
RNG = np.random.default_rng(1)
LABELS = RNG.integers(0, 2, (60, 2))
BOTH = RNG.random((60, 2)) < 0.6


def values(scores, metric):
    return {score.target: score.value for score in scores if score.metric == metric}


def test_rules_are_ranked_among_sequences_with_both_motifs():
    logits = (LABELS + RNG.normal(size=LABELS.shape)).round(1)
    scores = score_rules(logits, LABELS, BOTH, NAMES)
    expected = [
        roc_auc_score(LABELS[BOTH[:, r], r], logits[BOTH[:, r], r]) for r in range(len(NAMES))
    ]
    assert values(scores, "rule_auroc") == pytest.approx(
        dict(zip(NAMES, expected, strict=True)) | {None: np.mean(expected)}
    )
    assert [score.n for score in scores] == [*BOTH.sum(axis=0), 2]


def test_presence_of_the_motifs_says_nothing_of_a_rule():
    # one logit wherever both are there, another where they are not
    assert values(score_rules(BOTH * 3.0, LABELS, BOTH, NAMES), "rule_auroc")[None] == 0.5


@pytest.mark.parametrize(
    ("said", "expected"), [(LABELS, 1), (-LABELS, 0), (0.1, 0.5), (np.nan, 0.5)]
)
def test_rules_of_answers_that_are_known(said, expected):
    logits = np.broadcast_to(said, LABELS.shape).astype(float)
    assert set(values(score_rules(logits, LABELS, BOTH, NAMES), "rule_auroc").values()) == {
        expected
    }


def test_a_rule_that_all_pairs_satisfy_is_left_out_and_counted():
    labels = np.stack([LABELS[:, 0], np.ones(60, int)], axis=1)
    scores = score_rules(labels.astype(float), labels, BOTH, NAMES)
    assert np.isnan(values(scores, "rule_auroc")["order"])
    assert (scores[-1].value, scores[-1].n) == (1, 1)
    (*_, mean) = score_rules(labels.astype(float), labels, np.zeros_like(BOTH), NAMES)
    assert np.isnan(mean.value)
    assert mean.n == 0


SATISFIED = np.array([True, True, False, False, False])
RANKED = np.array([True, True, True, True, False])
GAP = np.array([1, 2, 2, 4, 61])


def test_designed_pairs_by_hand_in_all_backgrounds_together():
    logits = np.array([[3.0, 1.0], [5.0, 2.0], [2.0, 0.0], [0.0, 4.0], [9.0, 9.0]])
    # satisfied 3 1 5 2, violated 2 0 0 4: 3 wins 3, 1 wins 2, 5 wins 4, 2 wins 2 and ties 1
    assert designed_auroc(logits, SATISFIED, RANKED) == pytest.approx(11.5 / 16)
    scores = score_designed([logits, -logits], [SATISFIED, SATISFIED], [RANKED, RANKED], NAMES)
    assert values(scores, "designed_rule_auroc") == pytest.approx(
        {"near": 11.5 / 16, "order": 4.5 / 16, None: 0.5}
    )
    assert [score.n for score in scores] == [8, 8, 2]


@pytest.mark.parametrize(("said", "expected"), [(1, 1), (-1, 0), (0, 0.5), (np.nan, 0.5)])
def test_designed_pairs_of_answers_that_are_known(said, expected):
    logits = np.repeat(SATISFIED[:, None], 3, axis=1) * said
    assert designed_auroc(logits, SATISFIED, RANKED) == expected
    assert np.isnan(designed_auroc(logits, np.zeros(5, bool), RANKED))
    assert np.isnan(designed_auroc(logits, SATISFIED, np.zeros(5, bool)))


def test_a_curve_is_the_mean_logit_by_distance():
    logits = np.array([[3.0, 1.0], [5.0, 2.0], [2.0, 0.0], [0.0, 4.0], [9.0, 9.0]])
    curve = spacing_curve(logits, GAP, np.array([True, True, True, False, True]))
    assert len(curve) == 61
    assert curve[1:3] == pytest.approx([2.0, 2.25])
    assert np.isnan(np.delete(curve, [1, 2])).all()


def test_a_curve_is_held_against_the_rule_at_distances_that_are_drawn():
    gap = np.repeat(np.arange(61), 2)
    satisfied, violated = (gap >= 4) & (gap <= 9), (gap >= 14) & (gap <= 39)
    keep = np.ones(len(gap), bool)

    def agreement(curve):
        return curve_agreement(curve, gap, satisfied, satisfied | violated, keep)

    distance = np.arange(61.0)
    drawn = np.r_[4:10, 14:40]
    expected = stats.pearsonr(-distance[drawn], drawn < 10).statistic
    assert agreement(-distance) == pytest.approx(expected)
    # the figure of a mere decline in the task's own account
    assert expected == pytest.approx(0.75, abs=0.01)
    perfect = satisfied[::2].astype(float)
    assert agreement(perfect) == pytest.approx(1)
    assert agreement(-perfect) == pytest.approx(-1)
    assert agreement(np.full(61, 0.1)) == 0
    assert agreement(np.full(61, np.nan)) == 0
    # all that is drawn satisfies it: a rule that does not hang on the distance
    assert np.isnan(curve_agreement(perfect, gap, satisfied, satisfied, keep))


# rule, role, what the removal does: the first rule is a repressor's, the second a plain one
RULE = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
ROLE = np.array([0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1])
EFFECT = np.array([-1, -1, 0, 0, 1, 1, -1, 0, -1, -1, 0])


def test_changes_are_means_over_what_stands_instead():
    after = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])
    assert mean_changes(after, np.array([1.0, 2.0])) == pytest.approx([2.0, -2.0])


def test_instances_of_one_factor_are_compared_by_hand():
    change = np.array([-2.0, 1, 0, 0.5, 0.5, 0, -1, 1, 3, 4, 0])
    # A of the repressor: -2 below 0, 1 above it: 0; B: a tie and one above 0: (0 - 1) / 2
    near = (0 + (-1) / 2) / 2
    # A of the other: right; B: 3 and 4 above 0, both wrong
    order = (1 + (-1)) / 2
    scores = score_instances(change, EFFECT, RULE, ROLE, NAMES)
    assert values(scores, "instance_effect") == pytest.approx(
        {"near": near, "order": order, None: (near + order) / 2}
    )
    assert [score.n for score in scores] == [2, 2, 2]


def test_what_a_factor_is_says_nothing_of_what_an_instance_does():
    # activators' removal always lowers, a repressor's always raises: presence alone
    presence = np.where(ROLE == 0, -3.0, 3.0)
    scores = score_instances(presence, EFFECT, RULE, ROLE, NAMES)
    assert set(values(scores, "instance_effect").values()) == {0}


@pytest.mark.parametrize(("said", "expected"), [(EFFECT, 1), (-EFFECT, -1), (0.1, 0), (np.nan, 0)])
def test_instances_of_answers_that_are_known(said, expected):
    found = np.broadcast_to(said, EFFECT.shape).astype(float)
    scores = score_instances(found, EFFECT, RULE, ROLE, NAMES)
    assert set(values(scores, "instance_effect").values()) == {expected}
    maps = score_map_instances("ism", -found, EFFECT, RULE, ROLE, NAMES)
    assert set(values(maps, "map_effect").values()) == {expected}
    assert {score.method for score in maps} == {"ism"}


def test_a_factor_whose_instances_all_do_the_same_is_left_out_and_counted():
    effect = np.where(ROLE == 1, 0, EFFECT)
    scores = score_instances(EFFECT.astype(float), effect, RULE, ROLE, NAMES)
    assert [(score.value, score.n) for score in scores] == [(1, 1), (1, 1), (1, 2)]
    (*_, mean) = score_instances(np.zeros(0), EFFECT[:0], RULE[:0], ROLE[:0], NAMES)
    assert np.isnan(mean.value)


def test_the_sign_of_a_map_is_asked_where_instances_raise_and_lower():
    sums = np.array([2.0, -1, 5, 5, -1, 0, 9, 9, 9, 9, 9])
    scores = score_map_instances("ism", sums, EFFECT, RULE, ROLE, NAMES)
    # helpers: one of two is right; the harmful: one right, one says nothing
    assert values(scores, "map_sign") == pytest.approx({"near": 0.625, None: 0.625})
    assert next(score.n for score in scores if score.metric == "map_sign") == 4
    for said, expected in ((-EFFECT, 1), (EFFECT, 0), (0 * EFFECT, 0.5), (EFFECT + 9, 0.5)):
        known = score_map_instances("ism", said.astype(float), EFFECT, RULE, ROLE, NAMES)
        assert values(known, "map_sign")[None] == expected


def test_sums_over_spans_are_of_the_instance_s_rule_and_of_a_constant_all_alike():
    importance = RNG.normal(size=(4, 2, 30)).astype(np.float32)
    sequence, rule = np.array([0, 0, 3, 2]), np.array([0, 1, 1, 0])
    start, end = np.array([0, 5, 20, 4]), np.array([8, 13, 30, 12])
    expected = [
        importance[s, r, a:b].astype(float).sum()
        for s, r, a, b in zip(sequence, rule, start, end, strict=True)
    ]
    assert span_sums(importance, sequence, rule, start, end) == pytest.approx(expected)
    flat = span_sums(np.full((4, 2, 30), 0.1), sequence, rule, start, end)
    assert len(set(flat[[0, 1, 3]])) == 1
    assert len(span_sums(importance, *[np.zeros(0, int)] * 4)) == 0
