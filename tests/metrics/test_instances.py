import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.metrics.attribution.instances import instance_recall, score_instances
from motifidelity.metrics.truth.bases import BaseTruth, State
from motifidelity.metrics.truth.spans import Spans, cover

WIDTHS = (5, 9)


def spans_of(rows):
    """Spans from rows of (sequence, motif, strand, start)."""
    sequence, motif, strand, start = np.array(rows, np.int64).reshape(-1, 4).T
    end = start + np.array(WIDTHS)[motif]
    return Spans(sequence, motif, strand, start, end, np.zeros(len(end)), np.zeros(len(end)))


def example(seed, m=30, length=60):
    """One or two implants in each sequence but the last, and patterns of columns that count."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(m - 1):
        for half in range(rng.integers(1, 3)):
            start = half * length // 2 + rng.integers(0, length // 2 - 9)
            rows.append((i, rng.integers(0, 2), rng.choice([-1, 1]), start))
    spans = spans_of(rows)
    columns = [np.array([1, 1, 0, 1, 1], bool), np.array([0, 1, 1, 1, 0, 1, 1, 1, 1], bool)]
    scores = rng.normal(size=(m, length))
    return rng, spans, columns, scores, ~cover((m, length), spans)


def recall_by_loop(scores, background, spans, columns, rate):
    m, length = scores.shape
    found, number = np.zeros(m), np.zeros(m)
    for index, forward in enumerate(columns):
        width = len(forward)
        for strand in (1, -1):
            pattern = forward[::strand]
            mean = {
                (i, s): scores[i, s : s + width][pattern].mean()
                for i in range(m)
                for s in range(length - width + 1)
            }
            free = {key for key in mean if background[key[0], key[1] : key[1] + width].all()}
            calls = [
                mean[i, s]
                for i, s in free
                if all(
                    mean[i, s] >= mean[i, other]
                    for other in range(s - width + 1, s + width)
                    if (i, other) in free
                )
            ]
            calls = sorted(calls, reverse=True)
            allowed = int(rate * m)
            limit = calls[allowed] if len(calls) > allowed else -np.inf
            for i, motif, side, start in zip(
                spans.sequence, spans.motif, spans.strand, spans.start, strict=True
            ):
                if (motif, side) == (index, strand):
                    number[i] += 1
                    found[i] += mean[i, start] > limit
    return np.divide(found, number, out=np.full(m, np.nan), where=number > 0)


@pytest.mark.parametrize("rate", [0.2, 1, 2.5])
def test_recall_equals_a_search_window_by_window(rate):
    _, spans, columns, scores, background = example(0)
    scores = scores + 0.7 * ~background
    got = instance_recall(scores, background, spans, columns, false_positives=rate)
    np.testing.assert_allclose(got, recall_by_loop(scores, background, spans, columns, rate))
    assert 0.1 < np.nanmean(got) < 0.99
    assert np.isnan(got).tolist() == [False] * 29 + [True]


def test_a_perfect_map_finds_all_and_a_constant_map_none():
    _, spans, columns, scores, background = example(1)
    perfect = instance_recall((~background).astype(float), background, spans, columns)
    assert np.nanmin(perfect) == 1
    nothing = instance_recall(np.ones_like(scores), background, spans, columns)
    assert np.nanmax(nothing) == 0


def test_no_more_false_positives_are_let_through_than_asked_for():
    """Instances that are background themselves are found as often as background is called."""
    rng = np.random.default_rng(2)
    m, length = 400, 60
    spans = spans_of([(i, 0, 1, 20) for i in range(m)])
    columns = [np.ones(5, bool), np.ones(9, bool)]
    background = ~cover((m, length), spans)
    recall = instance_recall(rng.normal(size=(m, length)), background, spans, columns)
    # About 47 windows of 5 lie in the background and 1 call a sequence is let through; a call has
    # neighbours above the threshold too, so that a window is, about twice as often as it is a call.
    assert 1 / 47 < recall.mean() < 3 / 47


def test_one_loud_base_is_no_motif_and_a_weak_whole_motif_is():
    scores = np.zeros((1, 60))
    scores[0, 30:35] = 0.4  # the implant
    scores[0, [5, 50]] = 1.5  # two isolated peaks: mean 0.3 over a window of 5
    spans = spans_of([(0, 0, 1, 30)])
    columns = [np.ones(5, bool), np.ones(9, bool)]
    background = ~cover((1, 60), spans)
    assert instance_recall(scores, background, spans, columns).tolist() == [1.0]
    scores[0, [5, 50]] = 2.5
    assert instance_recall(scores, background, spans, columns).tolist() == [0.0]


def test_columns_that_say_nothing_are_not_asked_for():
    scores = np.zeros((1, 40))
    scores[0, [20, 21, 23, 24]] = 1.0
    scores[0, 22] = -10
    spans = spans_of([(0, 0, 1, 20)])
    background = ~cover((1, 40), spans)
    holed = [np.array([1, 1, 0, 1, 1], bool), np.ones(9, bool)]
    assert instance_recall(scores, background, spans, holed).tolist() == [1.0]
    whole = [np.ones(5, bool), np.ones(9, bool)]
    assert instance_recall(scores, background, spans, whole).tolist() == [0.0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_strand_and_scale_change_nothing(seed):
    rng, spans, columns, scores, background = example(seed, m=12)
    expected = instance_recall(scores, background, spans, columns)
    order = rng.permutation(12)
    shuffled = instance_recall(scores[order], background[order], spans.of_sequences(order), columns)
    np.testing.assert_allclose(shuffled, expected[order])
    length = scores.shape[1]
    turned = Spans(
        spans.sequence, spans.motif, -spans.strand, length - spans.end, length - spans.start,
        spans.log_odds, spans.role,
    )  # fmt: skip
    backwards = instance_recall(scores[:, ::-1], background[:, ::-1], turned, columns)
    np.testing.assert_allclose(backwards, expected)
    np.testing.assert_allclose(instance_recall(scores * 7.5, background, spans, columns), expected)


def test_scores_carry_the_method_and_count_sequences_with_implants():
    rng, spans, _, scores, background = example(3)
    motifs = [np.eye(4)[rng.integers(0, 4, width)] for width in WIDTHS]
    sequences = rng.integers(0, 4, scores.shape, dtype=np.uint8)
    states = np.where(background, State.BACKGROUND, State.IMPLANTED).astype(np.uint8)
    truth = BaseTruth(states, ~background)
    maps = np.repeat((~background)[:, :, None], 4, axis=2).astype(np.float32)
    (score,) = score_instances("ism", maps, sequences, truth, spans, motifs)
    assert (score.metric, score.method, score.value, score.n) == ("instance_recall", "ism", 1, 29)
    with pytest.raises(ValueError, match="nan or infinity"):
        score_instances("ism", maps * np.nan, sequences, truth, spans, motifs)
