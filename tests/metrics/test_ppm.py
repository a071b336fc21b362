import numpy as np
import pytest

from motifidelity.metrics.motifs.ppm import (
    information_content,
    site_counts,
    to_ppm,
    top_site_counts,
    trim,
)


def counts_by_loop(mask, sequences, window):
    """Literal transcription of the study's alignment, one site after the other."""
    _, length, num_filters = mask.shape
    counts = np.zeros((num_filters, window, 4), int)
    sites = np.zeros(num_filters, int)
    for f in range(num_filters):
        for i, position in np.argwhere(mask[:, :, f]):
            start = position - window // 2
            end = start + window
            if start > 0 and end < length:
                sites[f] += 1
                for k, letter in enumerate(sequences[i, start:end]):
                    counts[f, k, letter] += 1
    return counts, sites


@pytest.mark.parametrize(
    ("n", "length", "num_filters", "window"), [(7, 60, 3, 20), (5, 41, 11, 7), (4, 22, 8, 20)]
)
def test_half_maximum_sites_equal_the_study_s_loop(n, length, num_filters, window):
    rng = np.random.default_rng(length)
    sequences = rng.integers(0, 4, (n, length), dtype=np.uint8)
    mask = rng.random((n, length, num_filters)) < 0.3
    counts, sites = site_counts(np.packbits(mask, axis=-1), num_filters, sequences, window)
    expected_counts, expected_sites = counts_by_loop(mask, sequences, window)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_array_equal(sites, expected_sites)


def test_blocks_of_sequences_add_up():
    rng = np.random.default_rng(0)
    sequences = rng.integers(0, 4, (700, 200), dtype=np.uint8)
    packed = np.packbits(rng.random((700, 200, 2)) < 0.1, axis=-1)
    whole, sites = site_counts(packed, 2, sequences)
    parts = [site_counts(packed[i : i + 1], 2, sequences[i : i + 1]) for i in range(700)]
    np.testing.assert_array_equal(whole, sum(part[0] for part in parts))
    np.testing.assert_array_equal(sites, sum(part[1] for part in parts))
    assert (whole.sum(axis=2) == sites[:, None]).all()


def test_sequences_too_short_for_a_window_have_no_site():
    sequences = np.zeros((2, 21), np.uint8)
    counts, sites = site_counts(np.full((2, 21, 1), 255, np.uint8), 3, sequences)
    assert counts.shape == (3, 20, 4)
    assert counts.sum() == sites.sum() == 0


def test_a_model_without_filters_gives_empty_counts():
    counts, sites = site_counts(np.empty((2, 50, 0), np.uint8), 0, np.zeros((2, 50), np.uint8))
    assert counts.shape == (0, 20, 4)
    assert sites.shape == (0,)


def test_top_sites_are_counted_at_their_window_by_hand():
    sequences = np.array([[0, 1, 2, 3, 0, 0], [3, 3, 2, 2, 1, 1]], np.uint8)
    # Window 4 around position 2 is columns 0..3; around position 4 columns 2..5.
    top = np.array([[[0, 2], [1, 4]], [[1, 2], [-1, -1]]], np.int32)
    counts, sites = top_site_counts(top, sequences, window=4)
    assert sites.tolist() == [2, 1]
    # Filter 0 sees ACGT and GGCC.
    assert counts[0].tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]]
    # Filter 1 sees TTGG.
    assert counts[1].tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("site", [[0, 9], [0, 41], [5, 20], [-1, 20], [0, -1]])
def test_a_top_site_without_a_whole_window_is_refused(site):
    with pytest.raises(ValueError, match="no whole 20-base window"):
        top_site_counts(np.array([[site]]), np.zeros((5, 50), np.uint8))


def test_a_pseudocount_is_added_to_every_letter():
    assert to_ppm([[3, 0, 0, 0]], 0.25).tolist() == [[3.25 / 4, 0.25 / 4, 0.25 / 4, 0.25 / 4]]


def test_columns_without_counts_are_uniform():
    assert to_ppm(np.zeros((2, 3, 4))).tolist() == [[[0.25] * 4] * 3] * 2


def test_information_by_hand():
    ppm = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4, [0.5, 0.25, 0.25, 0]]
    assert information_content(ppm).tolist() == [2, 1, 0, 0.5]


def test_trim_keeps_three_columns_beyond_the_informative_ones():
    ppm = np.full((20, 4), 0.25)
    ppm[8:11] = [0.97, 0.01, 0.01, 0.01]
    np.testing.assert_array_equal(trim(ppm), ppm[5:14])
    ppm[1] = [0, 0, 1, 0]
    np.testing.assert_array_equal(trim(ppm), ppm[0:14])


def test_a_flat_ppm_stays_whole_and_half_a_bit_is_not_enough():
    flat = np.full((20, 4), 0.25)
    flat[4] = [0.5, 0.25, 0.25, 0]
    assert trim(flat).shape == (20, 4)


def test_codes_beyond_the_alphabet_are_refused():
    with pytest.raises(ValueError, match="code 4"):
        site_counts(np.zeros((1, 30, 1), np.uint8), 1, np.full((1, 30), 4, np.uint8))
