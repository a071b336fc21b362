import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from motifidelity.metrics.accuracy import score_accuracy


def table(scores):
    return {(score.metric, score.target): score for score in scores}


def test_each_class_and_the_mean_equal_scikit_learn():
    rng = np.random.default_rng(0)
    logits = np.round(rng.normal(size=(300, 3)), 1).astype(np.float32)
    labels = (rng.random((300, 3)) < 0.2).astype(np.uint8)
    got = table(score_accuracy(logits, labels, ["a", "b", "c"]))
    means = {"auroc": [], "aupr": [], "paper_aupr": []}
    for c, name in enumerate("abc"):
        precision, recall, _ = precision_recall_curve(labels[:, c], logits[:, c])
        expected = {
            "auroc": roc_auc_score(labels[:, c], logits[:, c]),
            "aupr": average_precision_score(labels[:, c], logits[:, c]),
            "paper_aupr": auc(recall, precision),
        }
        for metric, value in expected.items():
            assert got[metric, name].value == pytest.approx(value, abs=1e-12)
            means[metric].append(value)
    for metric, values in means.items():
        mean = got[metric, None]
        assert (mean.value, mean.sd) == pytest.approx((np.mean(values), np.std(values)))
        assert mean.n == 3


def test_a_perfect_prediction_scores_one():
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.uint8)
    scores = score_accuracy(labels * 10.0 - 5, labels, ["a", "b"])
    assert all(score.value == 1.0 for score in scores)


def test_random_predictions_score_chance():
    rng = np.random.default_rng(1)
    labels = (rng.random((20_000, 4)) < 0.25).astype(np.uint8)
    got = table(score_accuracy(rng.normal(size=labels.shape), labels, list("abcd")))
    assert got["auroc", None].value == pytest.approx(0.5, abs=0.02)
    assert got["aupr", None].value == pytest.approx(0.25, abs=0.02)


def test_a_class_with_one_label_only_is_nan_and_not_in_the_mean():
    labels = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1]], np.uint8)
    logits = np.array([[3.0, 0.0, 1.0], [1.0, 1.0, 2.0], [2.0, 2.0, 3.0]])
    got = table(score_accuracy(logits, labels, ["both", "never", "always"]))
    for metric in ("auroc", "aupr", "paper_aupr"):
        assert np.isnan(got[metric, "never"].value)
        assert np.isnan(got[metric, "always"].value)
        assert (got[metric, None].value, got[metric, None].n) == (1.0, 1)


def test_shapes_and_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must agree"):
        score_accuracy(np.zeros((2, 2)), np.zeros((2, 2)), ["a"])
    with pytest.raises(ValueError, match="0 or 1"):
        score_accuracy(np.zeros((2, 1)), [[2], [0]], ["a"])
