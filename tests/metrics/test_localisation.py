import numpy as np
import pytest
from sklearn.metrics import auc, roc_curve

from motifidelity.metrics.localisation import (
    auroc_per_sequence,
    extend,
    paper_auroc_per_sequence,
    score_localisation,
)

BUFFER = 10


def extended_by_loop(label, buffer):
    left = buffer // 2
    padded = np.concatenate([np.zeros(left), label, np.zeros(buffer - left)])
    return np.array([1 if sum(padded[p : p + buffer]) > 0.01 else 0 for p in range(len(label))])


def regions_by_loop(label, scan, wanted, tail):
    """Literal transcription of the study's search for regions, defects included."""
    length = len(label)
    found = []
    index = 0
    status = True
    while status:
        begins = np.where(label[index:] == wanted)[0]
        if any(list(begins)):
            start = index + begins[0]
        else:
            status = False
        ends = np.where(label[index + start :] == 1 - wanted)[0]
        if any(list(ends)):
            end = index + start + ends[0]
            found.append(np.max(scan[start:end]))
            index = end
        else:
            if tail:
                found.append(np.max(scan[start:length]))
            status = False
    return found


def paper_auroc_by_loop(label, scan, buffer):
    extended = extended_by_loop(label, buffer)
    try:
        positive = regions_by_loop(extended, scan, 1, tail=False)
        negative = regions_by_loop(extended, scan, 0, tail=True)
    except UnboundLocalError:
        return np.nan
    if not positive or not negative:
        return np.nan
    truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    false_rate, true_rate, _ = roc_curve(truth, np.concatenate([positive, negative]))
    return auc(false_rate, true_rate)


def random_truth(rng, n, length, max_motifs=5):
    truth = np.zeros((n, length), np.uint8)
    for row in truth:
        for _ in range(rng.integers(0, max_motifs + 1)):
            start = rng.integers(-5, length)
            row[max(start, 0) : start + rng.integers(1, 22)] = 1
    return truth


@pytest.mark.parametrize(
    ("length", "buffer", "max_motifs"),
    [(200, 10, 5), (200, 10, 12), (40, 10, 3), (61, 7, 5), (30, 1, 9)],
)
def test_the_study_s_score_equals_its_loop_bug_for_bug(length, buffer, max_motifs):
    rng = np.random.default_rng(length + max_motifs)
    truth = random_truth(rng, 400, length, max_motifs)
    # Rounding makes ties between regions.
    scan = np.round(rng.normal(size=truth.shape), 1).astype(np.float32)
    expected = [paper_auroc_by_loop(*row, buffer) for row in zip(truth, scan, strict=True)]
    got = paper_auroc_per_sequence(scan, truth, buffer)
    np.testing.assert_allclose(got, expected, atol=1e-12)
    assert np.isfinite(got).sum() > 100


def test_every_short_label_gives_what_the_study_s_loop_gives():
    labels = (np.arange(2**11)[:, None] >> np.arange(11) & 1).astype(np.uint8)
    scan = np.random.default_rng(3).normal(size=labels.shape)
    expected = [paper_auroc_by_loop(*row, 1) for row in zip(labels, scan, strict=True)]
    np.testing.assert_allclose(paper_auroc_per_sequence(scan, labels, 1), expected, atol=1e-12)


def test_extension_equals_the_study_s_sliding_sum():
    rng = np.random.default_rng(2)
    truth = random_truth(rng, 20, 50)
    for buffer in (1, 7, 10):
        expected = [extended_by_loop(row, buffer) for row in truth]
        np.testing.assert_array_equal(extend(truth, buffer), expected)


def test_a_perfect_scan_scores_one_corrected_but_not_in_the_study():
    truth = random_truth(np.random.default_rng(4), 500, 200)
    paper, corrected = score_localisation(truth.astype(np.float32), truth)
    assert corrected.metric == "localisation_auroc"
    assert (corrected.value, corrected.sd) == (1.0, 0.0)
    assert paper.metric == "paper_localisation_auroc"
    assert paper.value < 1.0


def study_like_truth(rng, n):
    truth = np.zeros((n, 200), np.uint8)
    for row in truth:
        widths = rng.integers(10, 23, rng.integers(1, 6))
        gaps = rng.multinomial(200 - widths.sum(), rng.dirichlet(np.ones(len(widths) + 1)))
        starts = np.cumsum(gaps[:-1]) + np.cumsum(widths) - widths
        for start, width in zip(starts, widths, strict=True):
            row[start : start + width] = 1
    return truth


@pytest.mark.parametrize("smooth", [1, 19])
def test_noise_scores_chance_corrected(smooth):
    rng = np.random.default_rng(5)
    truth = study_like_truth(rng, 4000)
    noise = np.cumsum(rng.normal(size=(4000, 200 + smooth)), axis=1)
    scan = noise[:, smooth:] - noise[:, :-smooth]
    _, corrected = score_localisation(scan, truth)
    assert corrected.value == pytest.approx(0.5, abs=0.01)
    assert corrected.n > 3990


def test_a_constant_scan_scores_one_half():
    truth = study_like_truth(np.random.default_rng(6), 50)
    assert [s.value for s in score_localisation(np.zeros(truth.shape), truth)] == [0.5, 0.5]


def test_hand_worked_regions():
    truth = np.zeros((1, 40), np.uint8)
    truth[0, 10:12] = 1
    truth[0, 30:32] = 1
    # Buffer 2 marks 10..12 and 30..32 (half before, half after), each 3 wide. The background
    # 0..9, 13..29 and 33..39 gives 3, 5 and 2 pieces of that width; one of them holds 20.
    scan = np.zeros((1, 40))
    scan[0, 11] = 1.0
    scan[0, 31] = 3.0
    scan[0, 20] = 2.0
    # Region 1.0 beats 9 pieces of 10, region 3.0 all: (9 + 10) / 20.
    assert extend(truth, 2)[0].nonzero()[0].tolist() == [10, 11, 12, 30, 31, 32]
    assert auroc_per_sequence(scan, truth, None, 2)[0] == pytest.approx(19 / 20)
    # The study: the first region is 10..12; in its second round the region's start is right (30),
    # but its end is looked for from 13 + 30 on, so the region is lost. Background: 0..9; from 13
    # the end is looked for from 10 + 13 on and is right (30); from 33 nothing is found: 33..39.
    # Region 1.0 against 0.0, 2.0, 0.0.
    assert paper_auroc_per_sequence(scan, truth, 2)[0] == pytest.approx(2 / 3)


def test_sites_that_arose_by_chance_are_no_background():
    truth = np.zeros((1, 100), np.uint8)
    truth[0, 10:20] = 1
    scan = np.zeros((1, 100))
    scan[0, 15], scan[0, 60] = 1.0, 2.0
    chance = np.zeros((1, 100), bool)
    # The peak at 60 lies beside the chance site, within the buffer.
    chance[0, 62:70] = True
    _, without = score_localisation(scan, truth)
    paper, masked = score_localisation(scan, truth, chance)
    assert without.value < 1.0
    assert masked.value == 1.0
    assert paper == score_localisation(scan, truth)[0]


def test_chance_next_to_a_motif_does_not_touch_its_region():
    truth = np.zeros((1, 100), np.uint8)
    truth[0, 40:50] = 1
    scan = truth.astype(float)
    chance = np.ones((1, 100), bool)
    chance[0, :20] = False
    assert auroc_per_sequence(scan, truth, chance, BUFFER)[0] == 1.0


def test_sequences_without_both_kinds_are_left_out_and_counted():
    truth = np.zeros((3, 60), np.uint8)
    truth[0] = 1
    truth[1, 20:30] = 1
    scores = score_localisation(truth, truth, which="pwm")
    assert [(s.n, s.method, s.sd) for s in scores] == [(1, "pwm", None)] * 2


def test_input_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="must be equal"):
        score_localisation(np.zeros((2, 30)), np.zeros((2, 31)))
    with pytest.raises(ValueError, match="nan or infinity"):
        score_localisation(np.full((1, 30), np.nan), np.zeros((1, 30)))
    with pytest.raises(ValueError, match="buffer"):
        score_localisation(np.zeros((1, 30)), np.zeros((1, 30)), buffer=0)
