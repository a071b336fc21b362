import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from motifidelity.metrics.areas import mean_score, rank_rows


def sklearn_row(scores, truth):
    precision, recall, _ = precision_recall_curve(truth, scores)
    return (
        roc_auc_score(truth, scores),
        average_precision_score(truth, scores),
        auc(recall, precision),
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([1, 2, 5, 1000]))
def test_rows_with_ties_and_left_out_elements_equal_scikit_learn(seed, levels):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (6, 30)).astype(np.float32)
    truth = rng.random((6, 30)) < 0.3
    truth[:, :2] = [True, False]
    keep = rng.random((6, 30)) < 0.7
    keep[:, :2] = True
    areas = rank_rows(scores, truth, keep)
    for row in range(6):
        expected = sklearn_row(scores[row, keep[row]], truth[row, keep[row]])
        got = (areas.auroc[row], areas.average_precision[row], areas.pr_trapezoid[row])
        assert got == pytest.approx(expected, abs=1e-12)
        assert areas.prevalence[row] == pytest.approx(truth[row, keep[row]].mean())


def test_hand_worked_curve_with_a_tie():
    # Descending: + | (+ -) tied | - . Points (fp, tp): (0,1), (1,2), (2,2).
    areas = rank_rows(np.array([[4.0, 3.0, 3.0, 1.0]]), np.array([[1, 1, 0, 0]]))
    # Pairs: 3 of 4 won, one tied = 3.5 / 4.
    assert areas.auroc[0] == 0.875
    # Recall 1/2 at precision 1, then 1/2 more at precision 2/3.
    assert areas.average_precision[0] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert areas.pr_trapezoid[0] == pytest.approx(0.5 * 1 + 0.5 * (1 + 2 / 3) / 2)


def test_a_row_with_one_kind_only_is_undefined_and_left_out_of_the_mean():
    areas = rank_rows(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]), [[0, 1], [1, 1], [0, 1]])
    assert np.isnan(areas.auroc[1])
    score = mean_score("auroc", areas.auroc)
    assert (score.value, score.n, score.sd) == (0.5, 2, 0.5)


def test_a_mean_of_nothing_is_nan_with_no_items():
    score = mean_score("auroc", [np.nan])
    assert np.isnan(score.value)
    assert (score.n, score.sd) == (0, None)


def test_scores_that_are_not_finite_are_refused_unless_left_out():
    scores = np.array([[np.nan, 1.0, 0.0]])
    with pytest.raises(ValueError, match="nan or infinity"):
        rank_rows(scores, [[1, 1, 0]])
    assert rank_rows(scores, [[1, 1, 0]], [[0, 1, 1]]).auroc[0] == 1.0


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match="must be equal"):
        rank_rows(np.zeros((2, 3)), np.zeros((3, 2)))
