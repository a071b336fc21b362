import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.metrics.attribution.contrast import (
    letter_log_odds,
    pwm_cosine,
    score_contrast,
    signal_to_noise,
)
from motifidelity.metrics.truth.bases import BaseTruth, State
from motifidelity.metrics.truth.spans import Spans

WIDTHS = (4, 7)


def spans_of(rows):
    sequence, motif, strand, start = np.array(rows, np.int64).reshape(-1, 4).T
    end = start + np.array(WIDTHS)[motif]
    return Spans(sequence, motif, strand, start, end, np.zeros(len(end)), np.zeros(len(end)))


def example(seed, m=10, length=40):
    rng = np.random.default_rng(seed)
    rows = [
        (i, rng.integers(0, 2), rng.choice([-1, 1]), half * 20 + rng.integers(0, 13))
        for i in range(m)
        for half in range(rng.integers(1, 3))
    ]
    motifs = [rng.dirichlet([0.4] * 4, size=width) for width in WIDTHS]
    return rng, spans_of(rows), motifs, rng.normal(size=(m, length, 4))


def test_signal_to_noise_by_hand():
    scores = np.array([[4.0, -4.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0], [0, 0, 0, 0], [2, 2, 0, 0]])
    implanted = np.array([[1, 1, 0, 0]] * 4, bool)
    got = signal_to_noise(scores, implanted, ~implanted)
    assert got.tolist() == [2.0, 0.0, 0.0, 10.0]
    assert signal_to_noise(-scores[:, ::-1], implanted, ~implanted).tolist() == [-2, 0, 0, -10]


def test_signal_to_noise_without_one_kind_of_base_is_undefined():
    ones, none = np.ones((2, 3), bool), np.zeros((2, 3), bool)
    assert np.isnan(signal_to_noise(np.ones((2, 3)), ones, none)).all()
    assert np.isnan(signal_to_noise(np.zeros((2, 3)), none, ones)).all()


def test_noise_has_no_signal():
    rng = np.random.default_rng(0)
    implanted = rng.random((2000, 200)) < 0.2
    got = signal_to_noise(rng.normal(size=(2000, 200)), implanted, ~implanted)
    assert got.mean() == pytest.approx(0, abs=0.03)


def cosine_by_loop(maps, spans, motifs):
    values = {}
    for i, motif, strand, start, end in zip(
        spans.sequence, spans.motif, spans.strand, spans.start, spans.end, strict=True
    ):
        ppm = motifs[motif] if strand == 1 else motifs[motif][::-1, ::-1]
        target = np.log2((0.99 * ppm + 0.0025) / 0.25)
        a = (maps[i, start:end] - maps[i, start:end].mean(axis=1, keepdims=True)).ravel()
        b = (target - target.mean(axis=1, keepdims=True)).ravel()
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        values.setdefault(int(i), []).append(cosine)
    return [np.mean(values[i]) for i in range(len(maps))]


def test_cosine_equals_the_formula_implant_by_implant():
    _, spans, motifs, maps = example(1)
    np.testing.assert_allclose(pwm_cosine(maps, spans, motifs), cosine_by_loop(maps, spans, motifs))


def test_the_log_odds_have_cosine_one_and_the_opposite_minus_one():
    _, spans, motifs, maps = example(2)
    maps[:] = 0
    rng = np.random.default_rng(0)
    for i, motif, strand, start, end in zip(
        spans.sequence, spans.motif, spans.strand, spans.start, spans.end, strict=True
    ):
        pwm = letter_log_odds(motifs[motif])
        # A scale per implant and a constant per base mean nothing.
        maps[i, start:end] = 3 * pwm[::strand, ::strand] + rng.normal(size=(end - start, 1))
    np.testing.assert_allclose(pwm_cosine(maps, spans, motifs), 1)
    np.testing.assert_allclose(pwm_cosine(-maps, spans, motifs), -1)


def test_a_map_without_preference_has_cosine_zero_and_noise_about_zero():
    rng, spans, motifs, maps = example(3)
    flat = np.repeat(maps[:, :, :1], 4, axis=2)
    np.testing.assert_allclose(pwm_cosine(flat, spans, motifs), 0, atol=1e-12)
    many = spans_of([(i, 0, 1, 5) for i in range(3000)])
    noise = pwm_cosine(rng.normal(size=(3000, 40, 4)), many, motifs)
    assert noise.mean() == pytest.approx(0, abs=0.02)


def test_a_letter_that_never_occurs_has_bounded_log_odds():
    pwm = letter_log_odds(np.array([[1.0, 0, 0, 0]]))
    assert pwm[0, 0] - pwm[0, 1] == pytest.approx(np.log2((0.99 + 0.0025) / 0.0025))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_strand_scale_and_gauge_change_nothing(seed):
    rng, spans, motifs, maps = example(seed)
    expected = pwm_cosine(maps, spans, motifs)
    order = rng.permutation(len(maps))
    np.testing.assert_allclose(
        pwm_cosine(maps[order], spans.of_sequences(order), motifs), expected[order]
    )
    length = maps.shape[1]
    turned = Spans(
        spans.sequence, spans.motif, -spans.strand, length - spans.end, length - spans.start,
        spans.log_odds, spans.role,
    )  # fmt: skip
    np.testing.assert_allclose(pwm_cosine(maps[:, ::-1, ::-1], turned, motifs), expected)
    gauge = rng.normal(size=(*maps.shape[:2], 1))
    np.testing.assert_allclose(pwm_cosine(4 * maps + gauge, spans, motifs), expected, atol=1e-12)
    implanted = rng.random(maps.shape[:2]) < 0.3
    implanted[:, :2] = [True, False]
    ratio = signal_to_noise(maps[..., 0], implanted, ~implanted)
    backwards = signal_to_noise(-3 * maps[:, ::-1, 0], implanted[:, ::-1], ~implanted[:, ::-1])
    np.testing.assert_allclose(backwards, ratio)


def test_cosine_exists_only_where_a_map_speaks_of_all_letters():
    rng, spans, motifs, maps = example(4)
    sequences = rng.integers(0, 4, maps.shape[:2], dtype=np.uint8)
    states = rng.integers(0, 2, maps.shape[:2]).astype(np.uint8)
    truth = BaseTruth(states, states == State.IMPLANTED)

    def names(method, hypothetical=None):
        scores = score_contrast(method, maps, sequences, truth, spans, motifs, hypothetical)
        assert {score.method for score in scores} == {method}
        return [score.metric for score in scores]

    both = ["signal_to_noise", "pwm_cosine"]
    for method in ("saliency", "gradient_corrected", "smoothgrad", "ism"):
        assert names(method) == both
    for method in ("gradient_x_input", "integrated_gradients", "deeplift", "deepshap"):
        assert names(method) == both[:1]
    for method in ("integrated_gradients", "expected_gradients", "deeplift", "deepshap"):
        assert names(method, hypothetical=2 * maps) == both
    with pytest.raises(ValueError, match="must be"):
        names("deepshap", hypothetical=maps[:-1])
