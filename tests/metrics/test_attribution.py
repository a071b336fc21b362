import numpy as np
import pytest
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from motifidelity.metrics.attribution import at_sigmoid, base_scores, score_attribution


def table(scores):
    return {score.metric: score for score in scores}


def example(seed=0, m=12, length=50):
    rng = np.random.default_rng(seed)
    sequences = rng.integers(0, 4, (m, length), dtype=np.uint8)
    truth = (rng.random((m, length)) < 0.3).astype(np.uint8)
    truth[:, :2] = [0, 1]
    maps = rng.normal(size=(m, length, 4)).astype(np.float32)
    logits = rng.normal(scale=4, size=m).astype(np.float32)
    return rng, sequences, truth, maps, logits


def study_areas(scores, truth):
    """Literal transcription of the study's two areas for one sequence."""
    precision, recall, _ = precision_recall_curve(truth, scores)
    false_rate, true_rate, _ = roc_curve(truth, scores)
    return auc(false_rate, true_rate), auc(recall, precision)


@pytest.mark.parametrize("method", ["saliency", "ism"])
def test_study_scores_at_the_sigmoid_equal_its_loop(method):
    _, sequences, truth, maps, logits = example()
    expected = []
    for x, t, delta, z in zip(sequences, truth, maps, logits, strict=True):
        one_hot = np.eye(4)[x]
        if method == "saliency":
            slope = 1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z)))
            scores = np.sum(delta * slope * one_hot, axis=1)
        else:
            change = 1 / (1 + np.exp(-(z + delta))) - 1 / (1 + np.exp(-z))
            scores = np.sqrt(np.sum(change**2, axis=1))
        expected.append(study_areas(scores, t))
    got = table(score_attribution(method, maps, logits, sequences, truth))
    roc, pr = np.array(expected).T
    score = got["paper_attribution_auroc"]
    assert (score.value, score.sd) == pytest.approx((roc.mean(), roc.std()))
    assert (score.n, score.method) == (len(maps), method)
    assert got["paper_attribution_aupr"].value == pytest.approx(pr.mean())


@pytest.mark.parametrize("method", ["saliency", "ism"])
def test_corrected_scores_at_the_logit_equal_scikit_learn(method):
    rng, sequences, truth, maps, logits = example(1)
    chance = rng.random(truth.shape) < 0.2
    got = table(score_attribution(method, maps, logits, sequences, truth, chance))
    auroc, aupr, prevalence = [], [], []
    for x, t, values, masked in zip(sequences, truth, maps, chance, strict=True):
        kept = ~masked | (t == 1)
        scores = values[np.arange(len(x)), x]
        if method == "ism":
            scores = np.linalg.norm(values, axis=1)
        auroc.append(roc_auc_score(t[kept], scores[kept]))
        aupr.append(average_precision_score(t[kept], scores[kept]))
        prevalence.append(t[kept].mean())
    assert got["attribution_auroc"].value == pytest.approx(np.mean(auroc))
    assert got["attribution_aupr"].value == pytest.approx(np.mean(aupr))
    assert got["attribution_prevalence"].value == pytest.approx(np.mean(prevalence))


@pytest.mark.parametrize("method", ["saliency", "ism"])
def test_a_map_that_is_the_truth_scores_one(method):
    _, sequences, truth, _, logits = example(2)
    maps = np.repeat(truth[:, :, None], 4, axis=2).astype(np.float32)
    got = table(score_attribution(method, maps, logits, sequences, truth))
    assert got["attribution_auroc"].value == got["attribution_aupr"].value == 1.0


@pytest.mark.parametrize("method", ["saliency", "ism"])
def test_a_random_map_scores_chance(method):
    _, sequences, truth, maps, logits = example(3, m=500, length=200)
    got = table(score_attribution(method, maps, logits, sequences, truth))
    assert got["attribution_auroc"].value == pytest.approx(0.5, abs=0.01)
    assert got["paper_attribution_auroc"].value == pytest.approx(0.5, abs=0.01)
    prevalence = got["attribution_prevalence"].value
    assert got["attribution_aupr"].value == pytest.approx(prevalence, abs=0.02)


def test_base_scores_by_hand():
    maps = np.array([[[3.0, -4.0, 0.0, 0.0], [1.0, 2.0, 2.0, 0.0]]])
    sequences = np.array([[1, 3]], np.uint8)
    assert base_scores("saliency", maps, sequences).tolist() == [[-4.0, 0.0]]
    assert base_scores("ism", maps, sequences).tolist() == [[5.0, 3.0]]


def test_the_sigmoid_by_hand():
    maps = np.full((1, 1, 4), 1.0)
    z = np.array([np.log(3.0)])  # s = 3/4, and s(z + 1) = 3e / (1 + 3e)
    assert at_sigmoid("saliency", maps, z)[0, 0, 0] == pytest.approx(3 / 16)
    moved = 3 * np.e / (1 + 3 * np.e) - 0.75
    assert at_sigmoid("ism", maps, z)[0, 0, 0] == pytest.approx(moved, rel=1e-5)


def test_a_saturated_sigmoid_hides_the_map_from_the_study_only():
    _, sequences, truth, _, _ = example(4)
    maps = np.repeat(truth[:, :, None], 4, axis=2).astype(np.float32)
    got = table(score_attribution("saliency", maps, np.full(12, 30.0), sequences, truth))
    assert got["paper_attribution_auroc"].value == 0.5
    assert got["attribution_auroc"].value == 1.0


def test_moderate_sigmoids_do_not_reorder_a_saliency_map():
    _, sequences, truth, maps, _ = example(5)
    got = table(score_attribution("saliency", maps, np.linspace(-5, 5, 12), sequences, truth))
    paper, corrected = got["paper_attribution_auroc"], got["attribution_auroc"]
    assert paper.value == pytest.approx(corrected.value, abs=1e-3)


def test_sequences_without_both_kinds_of_base_are_left_out():
    _, sequences, truth, maps, logits = example(6)
    truth[0], truth[1] = 0, 1
    for score in score_attribution("ism", maps, logits, sequences, truth):
        assert score.n == 10


def test_what_does_not_fit_is_refused():
    _, sequences, truth, maps, logits = example()
    with pytest.raises(ValueError, match="choose one of saliency, ism"):
        score_attribution("salience", maps, logits, sequences, truth)
    with pytest.raises(ValueError, match="maps"):
        score_attribution("ism", maps[:, :-1], logits, sequences, truth)
    with pytest.raises(ValueError, match="logits"):
        score_attribution("ism", maps, logits[:-1], sequences, truth)
    with pytest.raises(ValueError, match="nan or infinity"):
        score_attribution("ism", maps * np.nan, logits, sequences, truth)
