from typing import NamedTuple

import numpy as np
import pytest

from motifidelity.metrics.motifs.pwm import log_odds, site_log_odds
from motifidelity.metrics.truth.bases import base_truth, find_spans
from motifidelity.metrics.truth.scan import pwm_scan

WIDTHS = (1, 4, 7, 10)


def random_motifs(rng, widths=WIDTHS):
    return [rng.dirichlet([0.3] * 4, size=width) for width in widths]


def strong_motif(letters, p=0.97):
    ppm = np.full((len(letters), 4), (1 - p) / 3)
    ppm[np.arange(len(letters)), ["ACGT".index(letter) for letter in letters]] = p
    return ppm


def codes(text):
    return np.array([["ACGT".index(letter) for letter in text]], np.uint8)


def scan_by_loop(sequence, ppms):
    """Literal transcription of the study's scan of one sequence."""
    one_hot = np.eye(4)[sequence]
    length = len(sequence)
    tracks = []
    for ppm in ppms:
        pwm = np.log2(ppm / 0.25 + 1e-10)
        width = len(pwm)
        left = width // 2
        padded = np.concatenate([np.zeros((left, 4)), one_hot, np.zeros((width - left, 4))])
        tracks.append([np.sum(padded[p : p + width] * pwm) for p in range(length)])
    return np.max(tracks, axis=0)


def test_the_reference_scan_equals_the_study_s_loop():
    rng = np.random.default_rng(0)
    sequences = rng.integers(0, 4, (5, 40), dtype=np.uint8)
    ppms = random_motifs(rng)
    both = ppms + [ppm[::-1, ::-1] for ppm in ppms]
    expected = [scan_by_loop(sequence, both) for sequence in sequences]
    np.testing.assert_allclose(pwm_scan(sequences, ppms), expected)
    np.testing.assert_allclose(pwm_scan(sequences, both, both_strands=False), expected)


def test_a_motif_peaks_at_its_centre_on_either_strand():
    motif = strong_motif("ACGGTA")
    for site in ("ACGGTA", "TACCGT"):
        scan = pwm_scan(codes("TTTTTTTT" + site + "TTTTTTTT"), [motif])
        assert scan[0].argmax() == 8 + 3
        assert scan[0].max() == pytest.approx(6 * np.log2(0.97 / 0.25))


def test_log_odds_by_hand():
    sites = site_log_odds(codes("ACA"), np.array([[0.5, 0.5, 0, 0], [0.25, 0.25, 0.5, 0]]))
    # A then C: 1 + 0 bits; C then A: 1 + 0 bits.
    np.testing.assert_allclose(sites, [[1, 1]], atol=1e-9)
    assert log_odds(np.array([[0.0, 0, 0, 1.0]]))[0] == pytest.approx([np.log2(1e-10)] * 3 + [2])


def test_a_motif_wider_than_the_sequence_has_no_site():
    assert site_log_odds(codes("ACG"), strong_motif("ACGT")).shape == (1, 0)


def implanted(rng, n, motifs, length=100):
    """One instance of a random motif on a random strand in each random sequence."""
    sequences = rng.integers(0, 4, (n, length), dtype=np.uint8)
    implants = np.stack(
        [
            np.arange(n),
            rng.integers(0, len(motifs), n),
            rng.integers(0, length - 20, n),
            rng.integers(0, 2, n),
        ],
        axis=1,
    )
    for i, motif, start, strand in implants:
        ppm = motifs[motif][::-1, ::-1] if strand else motifs[motif]
        for k, column in enumerate(ppm):
            sequences[i, start + k] = rng.choice(4, p=column)
    return sequences, implants


def chance_by_loop(sequences, implants, motifs):
    n, length = sequences.shape
    planted = {tuple(row) for row in implants.tolist()}
    mask = np.zeros((n, length), bool)
    truth = np.zeros((n, length), bool)
    for m, ppm in enumerate(motifs):
        strengths = {}
        for strand, matrix in enumerate((ppm, ppm[::-1, ::-1])):
            pwm = np.log2(matrix / 0.25 + 1e-10)
            for i in range(n):
                for start in range(length - len(ppm) + 1):
                    site = sequences[i, start : start + len(ppm)]
                    strengths[i, m, start, strand] = pwm[np.arange(len(ppm)), site].sum()
                    if (i, m, start, strand) in planted:
                        truth[i, start : start + len(ppm)] = True
        threshold = np.percentile([strengths[key] for key in planted if key in strengths], 10)
        for (i, key_m, start, strand), strength in strengths.items():
            if strength >= threshold - 1e-9 and (i, key_m, start, strand) not in planted:
                mask[i, start : start + len(ppm)] = True
    return mask & ~truth


class Planted(NamedTuple):
    sequence: np.ndarray
    motif: np.ndarray
    start: np.ndarray
    strand: np.ndarray


def chance_bases(sequences, implants, motifs):
    """Bases of chance sites; an implant is a row of sequence, motif, start, 0 or 1 for reverse."""
    planted = Planted(*np.asarray(implants, np.int64).reshape(-1, 4).T)
    spans = find_spans(sequences, planted._replace(strand=1 - 2 * planted.strand), motifs)
    return base_truth(sequences.shape, spans, motifs).chance


def test_chance_sites_equal_a_search_site_by_site():
    rng = np.random.default_rng(2)
    motifs = [strong_motif("ACGTT", 0.97), strong_motif("GGATCAT", 0.9)]
    sequences, implants = implanted(rng, 60, motifs)
    mask = chance_bases(sequences, implants, motifs)
    np.testing.assert_array_equal(mask, chance_by_loop(sequences, implants, motifs))
    assert 0.005 < mask.mean() < 0.5


def test_a_planted_site_is_truth_and_an_equal_unplanned_one_is_chance():
    motif = strong_motif("ACGGTA")
    sequence = codes("TTTTACGGTATTTTTTTTACGGTATTTTTACCGTTTTT")
    mask = chance_bases(sequence, [[0, 0, 4, 0]], [motif])
    expected = np.zeros(sequence.shape[1], bool)
    expected[18:24] = True  # forward
    expected[28:34] = True  # reverse complement TACCGT
    np.testing.assert_array_equal(mask[0], expected)


def test_a_motif_that_is_nowhere_implanted_has_no_chance_site():
    sequence = codes("TTTTACGGTATTTT")
    assert not chance_bases(sequence, np.empty((0, 4)), [strong_motif("ACGGTA")]).any()
    assert not chance_bases(sequence, np.empty((0, 4)), []).any()


@pytest.mark.parametrize("implant", [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 9, 0], [0, 0, 0, 2]])
def test_an_implant_that_does_not_exist_is_refused(implant):
    with pytest.raises(ValueError, match="does not fit"):
        chance_bases(codes("ACGGTATTTTTT"), [implant], [strong_motif("ACGG")])


def test_matrices_that_are_no_motif_are_refused():
    with pytest.raises(ValueError, match=r"it must be \(w, 4\)"):
        pwm_scan(codes("ACGT"), [np.zeros((4, 3))])
    with pytest.raises(ValueError, match="no motif"):
        pwm_scan(codes("ACGT"), [])
