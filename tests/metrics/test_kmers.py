"""Counting: logits and maps by brute force over strings, fits by their optimum."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.kmers import KmerModel, count_kmers, fit_gc, fit_kmers

LETTERS = "ACGT"


def draw(seed=0, n=7, length=15):
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


def drawn_model(k=3, classes=2):
    rng = np.random.default_rng(1)
    return KmerModel(rng.standard_normal((4**k, classes)), rng.standard_normal(classes))


def logit(model, codes):
    """Weights of every k-mer of a string, looked up one by one."""
    text = "".join(LETTERS[code] for code in codes)
    counts = Counter(text[i : i + model.k] for i in range(len(text) - model.k + 1))
    total = model.intercepts.copy()
    for word, count in counts.items():
        number = sum(LETTERS.index(a) * 4 ** (model.k - 1 - j) for j, a in enumerate(word))
        total += count * model.weights[number]
    return total


def test_a_logit_is_the_weights_of_the_k_mers_of_a_sequence():
    model, sequences = drawn_model(), draw()
    np.testing.assert_allclose(model.logits(sequences), [logit(model, row) for row in sequences])
    assert count_kmers(sequences, 3).sum(axis=1).tolist() == [[13]] * 7


def test_the_difference_of_two_letters_is_what_the_logit_changes_by():
    model, sequences = drawn_model(), draw(n=2)
    maps = model.maps(sequences)
    for row, codes in enumerate(sequences):
        for place, letter in np.ndindex(len(codes), 4):
            mutant = codes.copy()
            mutant[place] = letter
            change = logit(model, mutant) - logit(model, codes)
            found = maps[row, place, letter] - maps[row, place, codes[place]]
            np.testing.assert_allclose(found, change, atol=1e-12)


def test_a_map_is_the_weights_of_the_k_mers_over_a_base():
    model = drawn_model()
    codes = draw(n=1)
    here = np.take_along_axis(model.maps(codes), codes[..., None, None].astype(int), 2)[0, :, 0]
    # a base in the middle is under three 3-mers, the first one under one
    np.testing.assert_allclose(here[7], logit(model, codes[0, 5:10]) - model.intercepts)
    np.testing.assert_allclose(here[0], logit(model, codes[0, :3]) - model.intercepts)


def test_a_sequence_shorter_than_a_k_mer_is_refused():
    with pytest.raises(ValueError, match="sequences of 5 bases hold no 6-mer"):
        count_kmers(draw(length=5), 6)


def test_the_penalty_of_each_class_is_the_one_that_the_validation_split_likes_best():
    sequences, valid = draw(2, 300, 40), draw(3, 100, 40)
    # the first class hangs on TA alone, the second on nothing; the third has one label
    words = [(each[:, :-1] * 4 + each[:, 1:]) for each in (sequences, valid)]
    told = [((word == 12).sum(axis=1) > 2) for word in words]
    noise = np.random.default_rng(4).integers(0, 2, 400)
    labels = np.stack([told[0], noise[:300], np.zeros(300, int)], axis=1)
    valid_labels = np.stack([told[1], noise[300:], np.zeros(100, int)], axis=1)
    penalties = (1e-4, 1e-2, 1.0)
    model = fit_kmers(sequences, labels, valid, valid_labels, k=2, penalties=penalties)
    for index in range(2):
        fits = [
            LogisticRegression(C=penalty, max_iter=5000, tol=1e-8).fit(
                count_kmers(sequences, 2), labels[:, index]
            )
            for penalty in penalties
        ]
        areas = [
            roc_auc_score(valid_labels[:, index], fit.decision_function(count_kmers(valid, 2)))
            for fit in fits
        ]
        close = [np.allclose(model.weights[:, index], fit.coef_[0], atol=0.02) for fit in fits]
        assert [place for place, one in enumerate(close) if one] == [int(np.argmax(areas))]
    assert np.argmax(model.weights[:, 0]) == 12
    assert not model.weights[:, 2].any()


def test_gc_content_is_fitted_without_a_penalty():
    sequences = draw(5, 400, 30)
    share = np.isin(sequences, (1, 2)).mean(axis=1)
    labels = (share + np.random.default_rng(6).normal(0, 0.1, 400) > 0.5).astype(int)[:, None]
    model = fit_gc(sequences, labels)
    assert model.k == 1
    assert model.weights[[0, 3]].tolist() == [[0], [0]]
    assert model.weights[1] == model.weights[2] > 0
    # where the likelihood is largest the residuals are orthogonal to constant and share
    residual = labels[:, 0] - 1 / (1 + np.exp(-model.logits(sequences)[:, 0]))
    np.testing.assert_allclose([residual.mean(), (residual * share).mean()], 0, atol=1e-4)
