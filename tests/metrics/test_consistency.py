import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from motifidelity.metrics.agreement import mean_cosine, mean_spearman
from motifidelity.metrics.attribution.consistency import score_agreement, score_randomisation
from motifidelity.metrics.methods import base_scores


def test_mean_correlations_equal_scipy_pair_by_pair():
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=(4, 6, 30)) + rng.normal(size=(6, 30)), 1)
    pairs = list(itertools.combinations(values, 2))
    expected = [np.mean([spearmanr(a[i], b[i]).statistic for a, b in pairs]) for i in range(6)]
    np.testing.assert_allclose(mean_spearman(values), expected)
    cosines = [
        np.mean([a[i] @ b[i] / np.linalg.norm(a[i]) / np.linalg.norm(b[i]) for a, b in pairs])
        for i in range(6)
    ]
    np.testing.assert_allclose(mean_cosine(values), cosines)


def test_a_constant_map_agrees_with_nothing_and_sizes_do_not_overflow():
    values = np.random.default_rng(1).normal(size=(2, 1, 9))
    flat = np.stack([values[0], np.zeros((1, 9))])
    assert [*mean_spearman(flat), *mean_cosine(flat)] == pytest.approx([0, 0])
    big, small = values[0] * 1e200, values[0] * 1e-200
    assert mean_cosine(np.stack([big, small])) == pytest.approx([1])


def test_the_same_map_has_similarity_one_whatever_its_sign_and_noise_none():
    rng = np.random.default_rng(2)
    maps = rng.normal(size=(200, 100, 4))
    sequences = rng.integers(0, 4, (200, 100), dtype=np.uint8)
    for other in (maps, -2 * maps):
        (score,) = score_randomisation("saliency", maps, other, sequences)
        assert (score.metric, score.method, score.n) == (
            "randomisation_similarity",
            "saliency",
            200,
        )
        assert score.value == pytest.approx(1)
    (score,) = score_randomisation("ism", maps, rng.normal(size=maps.shape), sequences)
    assert score.value == pytest.approx(0, abs=0.02)


def test_randomisation_equals_scipy_on_the_size_of_importance():
    rng = np.random.default_rng(3)
    maps, other = rng.normal(size=(2, 5, 40, 4))
    sequences = rng.integers(0, 4, (5, 40), dtype=np.uint8)
    (score,) = score_randomisation("deepshap", maps, other, sequences)
    a, b = (np.abs(base_scores("deepshap", each, sequences)) for each in (maps, other))
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    assert (score.value, score.sd) == pytest.approx((np.mean(expected), np.std(expected)))


def test_randomisation_by_magnitude_compares_hypothetical_contributions():
    rng = np.random.default_rng(7)
    maps, other, shares, random_shares = rng.normal(size=(4, 5, 40, 4))
    sequences = rng.integers(0, 4, (5, 40), dtype=np.uint8)
    ask = ("deepshap", maps, other, sequences, "magnitude")
    (score,) = score_randomisation(*ask, (shares, random_shares))
    sizes = [
        np.linalg.norm(s - s.mean(-1, keepdims=True), axis=-1) for s in (shares, random_shares)
    ]
    expected = [spearmanr(x, y).statistic for x, y in zip(*sizes, strict=True)]
    assert score.value == pytest.approx(np.mean(expected))
    assert score_randomisation(*ask) == score_randomisation(*ask, (shares, None)) == []


def test_agreement_is_one_for_equal_trials_and_absent_for_one():
    rng = np.random.default_rng(4)
    maps = rng.normal(size=(1, 6, 30, 4))
    sequences = rng.integers(0, 4, (6, 30), dtype=np.uint8)
    assert score_agreement("saliency", maps, sequences) == [[]]
    # A constant per base is no disagreement about letters.
    shifted = np.stack([maps[0], maps[0] + rng.normal(size=(6, 30, 1))])
    for ranks, cosine in score_agreement("saliency", shifted, sequences):
        assert cosine.value == pytest.approx(1)
        assert ranks.value < 0.9
    for ranks, cosine in score_agreement("deeplift", maps.repeat(3, axis=0), sequences):
        assert (ranks.metric, cosine.metric) == ("trial_agreement", "trial_cosine")
        assert (ranks.value, cosine.value, ranks.n) == (pytest.approx(1), pytest.approx(1), 2)


def test_a_trial_s_agreement_is_the_mean_over_the_others_pair_by_pair():
    rng = np.random.default_rng(5)
    maps = rng.normal(size=(4, 5, 20, 4)) + rng.normal(size=(5, 20, 4))
    sequences = rng.integers(0, 4, (5, 20), dtype=np.uint8)
    found = score_agreement("saliency", maps, sequences)
    bases = [base_scores("saliency", each, sequences) for each in maps]
    centred = [(each - each.mean(axis=-1, keepdims=True)).reshape(5, -1) for each in maps]
    for one, (ranks, cosine) in enumerate(found):
        pairs = [(other, i) for other in range(4) if other != one for i in range(5)]
        expected = [spearmanr(bases[one][i], bases[other][i]).statistic for other, i in pairs]
        assert ranks.value == pytest.approx(np.mean(expected))
        ends = [(centred[one][i], centred[other][i]) for other, i in pairs]
        expected = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in ends]
        assert cosine.value == pytest.approx(np.mean(expected))
        assert (ranks.n, cosine.n) == (3, 3)


def test_agreement_by_another_reading_equals_scipy_on_what_is_read():
    rng = np.random.default_rng(6)
    maps = rng.normal(size=(2, 5, 20, 4)) + rng.normal(size=(5, 20, 4))
    sequences = rng.integers(0, 4, (5, 20), dtype=np.uint8)
    centred = maps - maps.mean(axis=-1, keepdims=True)
    size = np.linalg.norm(centred, axis=-1)
    there = np.take_along_axis(centred, sequences[None, :, :, None], axis=-1)[..., 0]
    for reading, read in (("signed", there), ("magnitude", size)):
        for scores in score_agreement("ism", maps, sequences, reading):
            # the cosine is of all letters, however bases are read
            (score,) = scores
            assert score.metric == "trial_agreement"
            expected = [spearmanr(*pair).statistic for pair in zip(*read, strict=True)]
            assert score.value == pytest.approx(np.mean(expected))
    with pytest.raises(ValueError, match="no reading signed"):
        score_agreement("saliency", maps, sequences, "signed")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_trials_and_sequences_and_monotone_transforms_change_nothing(seed):
    # of a value at zero nothing but rounding is left
    alike = functools.partial(np.testing.assert_allclose, atol=1e-12)
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3, 5, 20))
    expected = mean_spearman(values)
    alike(mean_spearman(values[rng.permutation(3)]), expected)
    order = rng.permutation(5)
    alike(mean_spearman(values[:, order]), expected[order])
    alike(mean_spearman(values[..., ::-1]), expected)
    alike(mean_spearman(np.exp(values)), expected)
    sizes = rng.uniform(0.1, 9, (3, 5, 1))
    alike(mean_cosine(values * sizes), mean_cosine(values))
