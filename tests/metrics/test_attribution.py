import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from motifidelity.metrics.attribution.base_ranking import (
    METHODS,
    at_sigmoid,
    base_scores,
    score_attribution,
)


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


def test_low_information_columns_are_left_out_of_corrected_scores_only():
    rng, sequences, truth, _, logits = example(7)
    low = (rng.random(truth.shape) < 0.3) & (truth == 1)
    low[:, :2] = False
    # The map is silent at just these columns: perfect, if they are not asked for.
    values = (truth.astype(bool) & ~low)[:, :, None].repeat(4, axis=2).astype(np.float32)
    without = table(score_attribution("saliency", values, logits, sequences, truth))
    got = table(score_attribution("saliency", values, logits, sequences, truth, None, low))
    assert without["attribution_auroc"].value < 1
    assert got["attribution_auroc"].value == got["attribution_aupr"].value == 1
    expected = [t[~left].mean() for t, left in zip(truth, low, strict=True)]
    assert got["attribution_prevalence"].value == pytest.approx(np.mean(expected))
    for name in ("paper_attribution_auroc", "paper_attribution_aupr"):
        assert got[name] == without[name]


def test_random_maps_score_the_average_precision_that_combinatorics_expects():
    """E[AP] = ((R - 1) / (N - 1) (N - H) + H) / N with H the N-th harmonic number."""
    rng = np.random.default_rng(8)
    m, length, implanted = 2000, 200, 40
    truth = np.zeros((m, length), np.uint8)
    truth[:, :implanted] = 1
    sequences = rng.integers(0, 4, (m, length), dtype=np.uint8)
    maps = rng.standard_normal((m, length, 4), dtype=np.float32)
    got = table(score_attribution("saliency", maps, np.zeros(m), sequences, truth))
    harmonic = np.sum(1 / np.arange(1, length + 1))
    expected = ((implanted - 1) / (length - 1) * (length - harmonic) + harmonic) / length
    assert got["attribution_auroc"].value == pytest.approx(0.5, abs=0.01)
    assert got["attribution_aupr"].value == pytest.approx(expected, abs=0.005)
    assert got["attribution_aupr"].value == pytest.approx(
        got["attribution_prevalence"].value, abs=0.03
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_scored_under_the_definitions_that_it_has(method):
    _, sequences, truth, maps, logits = example(9)
    got = score_attribution(method, maps, logits, sequences, truth)
    found = {(s.metric.startswith("paper_"), s.method) for s in got}
    corrected, study = (False, method), {"saliency": "saliency", "ism": "ism"}
    study |= {"paper_saliency": "saliency", "paper_ism": "ism"}
    study |= {"paper_ig": "integrated_gradients", "paper_deepshap": "deepshap"}
    expected = set() if method.startswith("paper_") else {corrected}
    if method in study:
        expected.add((True, study[method]))
    assert found == expected


def test_every_method_but_mutagenesis_is_read_at_the_letter_that_is_there():
    maps = np.array([[[3.0, -4.0, 0.0, 0.0]]])
    for method, kind in METHODS.items():
        expected = 5.0 if method.removeprefix("paper_") == "ism" else -4.0
        assert base_scores(method, maps, np.array([[1]], np.uint8)).tolist() == [[expected]]
        assert len(kind.reason) > 20


def test_the_importance_of_contributions_and_of_hypothetical_ones_is_complete():
    """On a linear network: their sum over bases is the difference of logits."""
    rng = np.random.default_rng(10)
    weights = rng.normal(size=(20, 4))
    sequences = rng.integers(0, 4, (3, 20), dtype=np.uint8)
    references = rng.integers(0, 4, (3, 7, 20), dtype=np.uint8)
    x, r = np.eye(4)[sequences], np.eye(4)[references].mean(axis=1)
    hypothetical = weights - (weights * r).sum(axis=2, keepdims=True)
    total = (weights * x).sum(axis=(1, 2)) - (weights * r).sum(axis=(1, 2))
    for method in ("integrated_gradients", "expected_gradients", "deeplift", "deepshap"):
        for maps in (hypothetical, hypothetical * x):
            assert base_scores(method, maps, sequences).sum(axis=1) == pytest.approx(total)
    # The study multiplies weights x (x - reference) by x again, and loses the references' share.
    again = base_scores("paper_deepshap", weights * (x - r), sequences).sum(axis=1)
    assert (np.abs(again - total) > 0.1).any()


def test_the_study_s_maps_at_the_sigmoid_score_as_those_that_follow_from_the_logit():
    _, sequences, truth, maps, logits = example(11)
    for method in ("saliency", "ism"):
        got = table(score_attribution(method, maps, logits, sequences, truth))
        at_output = at_sigmoid(method, maps, logits)
        direct = score_attribution(f"paper_{method}", at_output, logits, sequences, truth)
        assert [got[score.metric] for score in direct] == direct


def test_only_saliency_and_mutagenesis_follow_to_the_sigmoid():
    with pytest.raises(ValueError, match="smoothgrad at the sigmoid"):
        at_sigmoid("smoothgrad", np.zeros((1, 1, 4)), np.zeros(1))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_strand_and_monotone_transforms_change_nothing(seed):
    rng, sequences, truth, maps, logits = example(seed, m=8, length=30)
    chance, low = rng.random((2, *truth.shape)) < 0.1

    def corrected(maps, sequences, truth, chance, low, method="saliency"):
        got = table(score_attribution(method, maps, logits, sequences, truth, chance, low))
        return [got[name].value for name in ("attribution_auroc", "attribution_aupr")]

    for method in ("saliency", "ism"):
        expected = corrected(maps, sequences, truth, chance, low, method)
        order = rng.permutation(8)
        arrays = (maps, sequences, truth, chance, low)
        shuffled = [array[order] for array in arrays]
        assert corrected(*shuffled, method) == pytest.approx(expected)
        backwards = [maps[:, ::-1, ::-1], 3 - sequences[:, ::-1]]
        backwards += [array[:, ::-1] for array in (truth, chance, low)]
        assert corrected(*backwards, method) == pytest.approx(expected)
    transformed = np.exp(maps.astype(np.float64)) * 5 - 2
    assert corrected(transformed, *arrays[1:]) == pytest.approx(corrected(*arrays))


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
    with pytest.raises(ValueError, match="choose one of deeplift, deepshap, saliency, "):
        score_attribution("salience", maps, logits, sequences, truth)
    with pytest.raises(ValueError, match="maps"):
        score_attribution("ism", maps[:, :-1], logits, sequences, truth)
    with pytest.raises(ValueError, match="logits"):
        score_attribution("ism", maps, logits[:-1], sequences, truth)
    with pytest.raises(ValueError, match="nan or infinity"):
        score_attribution("ism", maps * np.nan, logits, sequences, truth)


def test_a_constant_map_counts_as_chance_and_its_share_is_told():
    rng = np.random.default_rng(0)
    sequences = rng.integers(0, 4, (4, 50), dtype=np.uint8)
    truth = np.zeros((4, 50), np.uint8)
    truth[:, 10:20] = 1
    maps = np.zeros((4, 50, 4), np.float32)
    # two sequences whose every implanted base is found, two that the network is silent on
    maps[:2, 10:20] = 1.0
    found = score_attribution("saliency", maps, np.zeros(4), sequences, truth)
    got = {score.metric: score for score in found}
    assert got["attribution_constant"].value == 0.5
    assert got["attribution_auroc"].value == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert got["attribution_aupr"].value == pytest.approx((1 + 1 + 0.2 + 0.2) / 4)
    assert got["attribution_auroc"].n == 4
