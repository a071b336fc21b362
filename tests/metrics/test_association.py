"""Measures of association by scipy and scikit-learn, and what answers that say nothing get."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from motifidelity.metrics import association

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(3, 40)).round(1)
FOUND = (TRUTH + RNG.normal(size=TRUTH.shape)).round(1)
# what a row of scipy's or scikit-learn's own says
OF_ROW = {
    "pearson": lambda found, truth: stats.pearsonr(found, truth).statistic,
    "spearman": lambda found, truth: stats.spearmanr(found, truth).statistic,
    "r_squared": lambda found, truth: r2_score(truth, found),
    "response_slope": lambda found, truth: stats.linregress(truth, found).slope,
    "calibration_slope": lambda found, truth: stats.linregress(found, truth).slope,
    "sign_accuracy": lambda found, truth: balanced_accuracy_score(
        truth[truth != 0] > 0, found[truth != 0] > 0
    ),
}
# of a perfect and of a flipped answer, and of one that says nothing
KNOWN = {
    "pearson": (1, -1, 0),
    "spearman": (1, -1, 0),
    "r_squared": (1, None, 0),
    "response_slope": (1, -1, np.nan),
    "calibration_slope": (1, -1, np.nan),
    "sign_accuracy": (1, 0, 0.5),
}


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", OF_ROW)
def test_rows_equal_the_library_s(name):
    found = np.where((TRUTH != 0) & (FOUND == 0), 0.05, FOUND)
    expected = [OF_ROW[name](*row) for row in zip(found, TRUTH, strict=True)]
    assert getattr(association, name)(found, TRUTH) == pytest.approx(expected)


@pytest.mark.parametrize("name", KNOWN)
def test_perfect_flipped_constant_missing_and_empty_answers(name):
    measure = getattr(association, name)
    perfect, flipped, nothing = KNOWN[name]
    assert measure(TRUTH, TRUTH) == pytest.approx(perfect)
    if flipped is not None:
        assert measure(-TRUTH, TRUTH) == pytest.approx(flipped)
    missing = TRUTH.copy()
    missing[:, 3] = np.nan
    for said in (
        np.zeros_like(TRUTH),
        np.full_like(TRUTH, np.nan),
        missing,
        np.where(np.isnan(missing), np.inf, TRUTH),
    ):
        np.testing.assert_array_equal(measure(said, TRUTH), [nothing] * 3)
    # a constant whose mean is rounded
    constant = np.full_like(TRUTH, 0.1)
    if name != "sign_accuracy":
        np.testing.assert_array_equal(measure(constant, TRUTH), [nothing] * 3)
    assert np.isnan(measure(TRUTH, constant)).all()
    assert np.isnan(measure(np.zeros((2, 0)), np.zeros((2, 0)))).all()


def test_r2_of_the_opposite_is_below_that_of_the_mean():
    assert association.r_squared(-TRUTH, TRUTH) == pytest.approx(
        [r2_score(row, -row) for row in TRUTH]
    )
    assert (association.r_squared(-TRUTH, TRUTH) < 0).all()


def test_auroc_of_what_is_kept():
    positive, keep = TRUTH > 0, RNG.random(TRUTH.shape) < 0.7
    expected = [roc_auc_score(p[k], f[k]) for p, f, k in zip(positive, FOUND, keep, strict=True)]
    assert association.auroc(FOUND, positive, keep) == pytest.approx(expected)
    missing = FOUND.copy()
    missing[0, np.flatnonzero(keep[0])[0]] = np.nan
    missing[1, np.flatnonzero(~keep[1])[0]] = np.nan
    assert association.auroc(missing, positive, keep) == pytest.approx([0.5, *expected[1:]])
    assert np.isnan(association.auroc(FOUND, np.ones_like(keep))).all()


def test_somers_d_by_hand_and_by_scipy():
    # of four pairs of unlike truth two are right, one is tied, one is wrong
    assert association.somers_d([3, 1, 2, 1], [1, 1, 0, 0]) == pytest.approx(0.25)
    for levels in (2, 3, 5):
        truth = RNG.integers(0, levels, 60)
        found = (truth + RNG.normal(size=60)).round(0)
        expected = stats.somersd(truth, found).statistic
        assert association.somers_d(found, truth) == pytest.approx(expected)
        assert association.somers_d(-found, truth) == pytest.approx(-expected)


def test_somers_d_of_what_says_nothing():
    truth = np.array([-1, 0, 1, 1])
    assert association.somers_d(truth * 2.0, truth) == 1
    assert association.somers_d(np.full(4, 0.1), truth) == 0
    assert association.somers_d([1, 2, np.nan, 3], truth) == 0
    assert np.isnan(association.somers_d([1, 2, 3, 4], np.ones(4)))
    assert np.isnan(association.somers_d([], []))


def test_signs_are_asked_of_truth_beyond_a_bound_and_a_zero_is_half_right():
    truth = np.array([[0.5, 0.3, 0.05, -0.05, -0.2, -0.4]])
    found = np.array([[1.0, 0.0, -9.0, 9.0, -1.0, 1.0]])
    # above: right and half right; below: right and wrong
    assert association.sign_accuracy(found, truth, 0.1) == pytest.approx([(0.75 + 0.5) / 2])
    assert np.isnan(association.sign_accuracy(found, np.abs(truth), 0.1)).all()


@pytest.mark.parametrize("measure", [association.pearson, association.auroc])
def test_answers_that_do_not_fit_the_truth_are_refused(measure):
    with pytest.raises(ValueError, match=r"must be equal \(r, n\)"):
        measure(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"must be equal \(n,\)"):
        association.somers_d(np.zeros(3), np.zeros(4))
