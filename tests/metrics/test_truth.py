import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.metrics.motifs.ppm import information_content
from motifidelity.metrics.truth.bases import (
    LOW_INFORMATION_BITS,
    Role,
    Spans,
    State,
    base_truth,
    find_spans,
)


def matrix(letters, p=0.97):
    ppm = np.full((len(letters), 4), (1 - p) / 3)
    ppm[np.arange(len(letters)), ["ACGT".index(letter) for letter in letters]] = p
    return ppm


def codes(text):
    return np.array([["ACGT".index(letter) for letter in text]], np.uint8)


def implants(*rows):
    """Rows of (sequence, motif, strand, start) without what `find_spans` does not read."""
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    nothing = np.empty(0)
    return Spans(columns[0], columns[1], columns[2], columns[3], nothing, nothing, nothing)


def listed(spans):
    return list(zip(*(column.tolist() for column in spans.arrays().values()), strict=True))


def test_implants_and_equal_unplanned_sites_are_listed_with_their_strength():
    motif = matrix("ACGGTA")
    sequence = codes("TTTTACGGTATTTTTTTTACGGTATTTTTACCGTTTTT")
    spans = find_spans(sequence, implants((0, 0, 1, 4)), [motif])
    strength = 6 * np.log2(0.97 / 0.25)
    assert [row[:5] + row[6:] for row in listed(spans)] == [
        (0, 0, 1, 4, 10, Role.IMPLANT),
        (0, 0, 1, 18, 24, Role.CHANCE),
        (0, 0, -1, 28, 34, Role.CHANCE),
    ]
    assert spans.log_odds == pytest.approx(strength)
    assert {name: column.dtype.name for name, column in spans.arrays().items()} == {
        "sequence": "int32",
        "motif": "int16",
        "strand": "int8",
        "start": "int16",
        "end": "int16",
        "log_odds": "float32",
        "role": "uint8",
    }


def test_the_other_strand_of_a_palindrome_is_a_chance_site_but_no_chance_base():
    motif = matrix("CACGTG")
    sequence = codes("TTTTCACGTGTTTT")
    spans = find_spans(sequence, implants((0, 0, 1, 4)), [motif])
    assert spans.of(Role.CHANCE).strand.tolist() == [-1]
    truth = base_truth(sequence.shape, spans, [motif])
    assert not truth.chance.any()
    assert np.flatnonzero(truth.implanted).tolist() == list(range(4, 10))


def test_chance_sites_are_looked_for_only_of_the_motifs_that_are_sought():
    motifs = [matrix("ACGGTA"), matrix("GGGCCA")]
    sequence = codes("TACGGTATTGGGCCATTTACGGTATTGGGCCATT")
    table = implants((0, 0, 1, 1), (0, 1, 1, 9))
    both = find_spans(sequence, table, motifs)
    assert sorted(both.of(Role.CHANCE).motif.tolist()) == [0, 1]
    assert find_spans(sequence, table, motifs, sought=[0]).of(Role.CHANCE).motif.tolist() == [0]
    assert len(find_spans(sequence, table, motifs, sought=[0]).of(Role.IMPLANT).role) == 2


def test_states_of_bases_by_hand():
    motif = matrix("GGCTTA")
    motif[1] = [0.4, 0.2, 0.2, 0.2]  # 0.078 bit: true for the study, too little for us
    motif[2] = 0.25  # nothing at all, true for nobody
    sequence = codes("TTTTGGCTTATTTTTTTTGGCTTATTTT")
    spans = find_spans(sequence, implants((0, 0, 1, 4)), [motif])
    truth = base_truth(sequence.shape, spans, [motif])
    expected = np.full(28, State.BACKGROUND)
    expected[4:10] = State.IMPLANTED
    expected[[5, 6]] = State.LOW_INFORMATION
    expected[18:24] = State.CHANCE
    np.testing.assert_array_equal(truth.states[0], expected)
    assert np.flatnonzero(truth.study).tolist() == [4, 5, 7, 8, 9]
    assert np.flatnonzero(truth.low_information).tolist() == [5, 6]
    everything = base_truth(sequence.shape, spans, [motif], low_information=-1)
    assert np.flatnonzero(everything.implanted).tolist() == list(range(4, 10))


def test_a_motif_on_the_other_strand_has_its_columns_reversed():
    motif = matrix("ACGGTA")
    motif[0] = 0.25
    sequence = codes("TTTTTACCGTTTTT")
    spans = find_spans(sequence, implants((0, 0, -1, 4)), [motif])
    truth = base_truth(sequence.shape, spans, [motif])
    assert np.flatnonzero(truth.low_information).tolist() == [9]


def test_spans_of_some_sequences_are_renumbered_to_their_order():
    motif = matrix("ACGGTA")
    sequences = np.repeat(codes("TTTTACGGTATTTTT"), 5, axis=0)
    spans = find_spans(sequences, implants(*((i, 0, 1, 4) for i in range(5))), [motif])
    spans = dataclasses.replace(spans, log_odds=spans.sequence.astype(np.float32))
    some = spans.of_sequences([3, 0])
    assert some.sequence.tolist() == [0, 1]
    assert some.log_odds.tolist() == [3, 0]


@pytest.mark.parametrize("row", [(1, 0, 1, 0), (0, 1, 1, 0), (0, 0, 1, 9), (0, 0, 0, 0)])
def test_an_implant_that_does_not_exist_is_refused(row):
    with pytest.raises(ValueError, match="does not fit"):
        find_spans(codes("ACGGTATTTTTT"), implants(row), [matrix("ACGG")])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_states_of_bases_turn_with_the_sequences(seed):
    rng = np.random.default_rng(seed)
    motifs = [matrix("ACGT", 0.8), rng.dirichlet([0.4] * 4, size=7)]
    sequences = rng.integers(0, 4, (9, 40), dtype=np.uint8)
    table = np.stack(
        [rng.integers(0, 9, 12), rng.integers(0, 2, 12), rng.integers(0, 33, 12)], axis=1
    )
    strand = rng.integers(0, 2, 12)
    planted = implants(*np.column_stack([table[:, :2], 1 - 2 * strand, table[:, 2]]).tolist())
    spans = find_spans(sequences, planted, motifs)
    truth = base_truth(sequences.shape, spans, motifs)
    assert truth.low_information.sum() + truth.implanted.sum() <= 12 * 7

    widths = np.array([4, 7])[table[:, 1]]
    turned = implants(
        *np.column_stack([table[:, :2], 2 * strand - 1, 40 - table[:, 2] - widths]).tolist()
    )
    other = find_spans(3 - sequences[:, ::-1], turned, motifs)
    np.testing.assert_array_equal(
        base_truth(sequences.shape, other, motifs).states, truth.states[:, ::-1]
    )


def real_spans(dataset):
    split = dataset.splits["test"].head(400)
    motifs = [motif.ppm.T for motif in dataset.implanted]
    core = range(len(dataset.spec.pools["core"]))
    return split, motifs, find_spans(split.sequences, split.implants, motifs, sought=core)


def test_the_study_s_truth_of_the_real_tasks_follows_from_the_spans(motif_classes, regulatory_code):
    for dataset in (motif_classes, regulatory_code):
        split, motifs, spans = real_spans(dataset)
        truth = base_truth(split.sequences.shape, spans, motifs)
        np.testing.assert_array_equal(truth.study, split.truth.astype(bool))
        planted = spans.of(Role.IMPLANT)
        assert len(planted.role) == len(split.implants.start)
        order = np.lexsort((split.implants.start, split.implants.sequence))
        np.testing.assert_array_equal(planted.end, split.implants.end[order])
        np.testing.assert_allclose(
            planted.log_odds, split.implants.log_odds[order], rtol=1e-4, atol=1e-4
        )


def test_letters_of_low_information_columns_often_speak_against_their_motif(motif_classes):
    """The reason for the threshold, over all columns of the database."""
    columns = np.concatenate([motif.ppm.T for motif in motif_classes.motifs.values()])
    bits = information_content(columns)
    near = columns[(bits > 0.2) & (bits <= LOW_INFORMATION_BITS)]
    against = np.where(near < 0.25, near, 0).sum(axis=1).mean()
    assert against == pytest.approx(0.32, abs=0.01)
    assert near.max() < 0.65
    assert near.max(axis=1).mean() < 0.5
