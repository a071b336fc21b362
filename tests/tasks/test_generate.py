"""The generator against the study's recipe, transcribed as one loop over sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from Bio.Seq import Seq

from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import column_information, generate, motif_ids
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import find_spec

SPLITS = ("train", "valid", "test")
LENGTH = 200
LETTERS_OF = 250  # sequences of each population whose letters are drawn one by one


def ids(text):
    return text.split()


TWELVE = ids("""
MA0151.1 MA0466.2 MA0477.1 MA0062.2 MA0496.1 MA0058.3 MA0052.3 MA0502.1 MA0079.3 MA0083.3 MA0137.3
MA0095.2
""")
CORE = ids("MA0079.3 MA0062.2 MA0466.2 MA0058.3 MA0095.2")
BACKGROUND = ids("""
MA0909.1 MA0004.1 MA0006.1 MA0913.1 MA0663.1 MA0664.1 MA0667.1 MA0668.1 MA0038.1 MA0046.2 MA0682.1
MA0050.2 MA0057.1 MA0063.1 MA0693.1 MA0697.1 MA0701.1 MA0080.4 MA0083.3 MA0084.1 MA0724.1 MA0103.2
MA0124.2 MA0749.1 MA0752.1 MA0754.1 MA0142.1 MA0143.3 MA0757.1 MA0763.1 MA0765.1 MA0160.1 MA0161.1
MA0163.1 MA0164.1 MA0461.2 MA0464.2 MA0786.1 MA0471.1 MA0482.1 MA0489.1 MA0492.1 MA0498.2 MA0823.1
MA0507.1 MA0830.1 MA0513.1 MA0512.2 MA0838.1 MA0593.1
""")


@dataclass
class Recipe:
    seed: int
    thrown_away: int
    weights: list[float]
    offset: int
    scale: float
    populations: list[tuple[int, list[str]]]


STUDY = {
    "motif-classes": Recipe(33, 0, [0, 0.5, 0.25, 0.17, 0.05, 0.3], 1, 1.0, [(30000, TWELVE)]),
    "regulatory-code": Recipe(
        22,
        519,
        [0, 0, 0.5, 0.25, 0.17, 0.05, 0.3],
        2,
        2.0,
        [(10000, CORE), (10000, CORE + BACKGROUND)],
    ),
}


@dataclass
class Drawn:
    """One sequence: (id, strand, start, end) of its motifs, and for some their letters."""

    population: int
    implants: list[tuple[str, int, int, int]]
    letters: list[int] | None = None
    truth: list[int] | None = None


def draw(recipe, jaspar):
    rng = np.random.RandomState(recipe.seed)
    if recipe.thrown_away:
        rng.permutation(recipe.thrown_away)
    cum = np.cumsum(recipe.weights)
    drawn = []
    for population, (number, matrices) in enumerate(recipe.populations):
        pool = []
        for motif_id in matrices:
            counts = np.array([jaspar[motif_id].counts[letter] for letter in "ACGT"], float)
            ppm = counts / counts.sum(axis=0)
            pool += [(motif_id, 1, ppm), (motif_id, -1, ppm[::-1, ::-1])]
        for index in range(number):
            while True:
                u = rng.rand()
                n = max(k for k, c in enumerate(cum) if u > c) + recipe.offset
                picks = rng.randint(len(pool), size=n)
                width = sum(pool[pick][2].shape[1] for pick in picks)
                if 1 <= width <= 199:
                    break
            while True:
                g = rng.uniform(0, recipe.scale, size=n + 1)
                gaps = np.round(g / g.sum() * (LENGTH - width)).astype(int)
                if gaps.sum() == LENGTH - width:
                    break
            z = rng.uniform(0, 1, LENGTH)
            end, implants, columns = 0, [], []
            for gap, pick in zip(gaps, picks, strict=False):
                motif_id, strand, ppm = pool[pick]
                start = end + int(gap)
                end = start + ppm.shape[1]
                implants.append((motif_id, strand, start, end))
                columns += [[0.25] * 4] * int(gap) + ppm.T.tolist()
            columns += [[0.25] * 4] * int(gaps[-1])
            one = Drawn(population, implants)
            if index < LETTERS_OF:
                one.letters = [
                    next(j for j in range(4) if z[i] < sum(columns[i][: j + 1]))
                    for i in range(LENGTH)
                ]
                one.truth = [
                    int(2 + sum(p * np.log2(p + 1e-10) for p in column) > 0.01)
                    for column in columns
                ]
            drawn.append(one)
    return drawn, rng.permutation(len(drawn))


@pytest.fixture(scope="module", params=list(STUDY))
def both(request, jaspar):
    """A dataset made now, and the same sequences drawn by the loop in the order of the splits."""
    spec = find_spec(request.param)
    motifs = load_motifs(spec.motifs)
    dataset = Dataset(spec, generate(spec, motifs), motifs)
    drawn, order = draw(STUDY[request.param], jaspar)
    n = len(drawn)
    cuts = [0, n * 7 // 10, n * 8 // 10, n]
    return dataset, {
        name: [drawn[i] for i in order[cuts[k] : cuts[k + 1]]] for k, name in enumerate(SPLITS)
    }


def rows_of(dataset, split):
    """(sequence, id, strand, start, end) of every implant of a split."""
    implants = dataset.splits[split].implants
    matrices = [dataset.implanted[motif].id for motif in implants.motif]
    return list(
        zip(
            implants.sequence.tolist(),
            matrices,
            implants.strand.tolist(),
            implants.start.tolist(),
            implants.end.tolist(),
            strict=True,
        )
    )


@pytest.mark.parametrize("split", SPLITS)
def test_every_implant_of_the_dataset_is_where_the_study_s_loop_puts_it(both, split):
    dataset, drawn = both
    expected = [(i, *implant) for i, one in enumerate(drawn[split]) for implant in one.implants]
    assert len(drawn[split]) == len(dataset.splits[split].sequences)
    assert rows_of(dataset, split) == expected


def test_letters_and_truth_are_the_study_s_loop_s(both):
    dataset, drawn = both
    compared = 0
    for split in SPLITS:
        found = dataset.splits[split]
        for row, one in enumerate(drawn[split]):
            if one.letters is not None:
                assert found.sequences[row].tolist() == one.letters
                assert found.truth[row].tolist() == one.truth
                compared += 1
    assert compared == LETTERS_OF * len(STUDY[dataset.spec.name].populations)


def test_labels_are_the_factors_picked_or_the_population(both):
    dataset, drawn = both
    for split in SPLITS:
        if dataset.spec.name == "motif-classes":
            expected = np.zeros((len(drawn[split]), 12), int)
            for row, one in enumerate(drawn[split]):
                for motif_id, *_ in one.implants:
                    expected[row, TWELVE.index(motif_id)] = 1
        else:
            expected = np.array([[1 - one.population] for one in drawn[split]])
        np.testing.assert_array_equal(dataset.splits[split].labels, expected)


@pytest.mark.parametrize("name", list(STUDY))
def test_implant_numbers_count_through_the_pools_each_matrix_once(name, datasets):
    pools = [matrices for _, matrices in STUDY[name].populations]
    expected = list(dict.fromkeys(i for matrices in pools for i in matrices))
    assert list(motif_ids(datasets[name].spec)) == expected
    assert [motif.id for motif in datasets[name].implanted] == expected


@pytest.mark.parametrize("name", list(STUDY))
def test_log_odds_and_truth_agree_with_the_jaspar_counts(name, datasets, jaspar):
    dataset = datasets[name]
    split = dataset.splits["valid"].head(300)
    truth = np.zeros_like(split.truth)
    for i in range(len(split.implants.start)):
        motif_id = dataset.implanted[split.implants.motif[i]].id
        counts = {letter: list(jaspar[motif_id].counts[letter]) for letter in "ACGT"}
        width = len(counts["A"])
        row, start, end = (
            int(getattr(split.implants, key)[i]) for key in ("sequence", "start", "end")
        )
        assert end - start == width
        site = Seq("".join("ACGT"[code] for code in split.sequences[row, start:end]))
        forward = site if split.implants.strand[i] == 1 else site.reverse_complement()
        bits = 0.0
        for column, letter in enumerate(forward):
            total = sum(counts[other][column] for other in "ACGT")
            bits += np.log2(counts[letter][column] / total / 0.25)
            shares = [counts[other][column] / total for other in "ACGT"]
            information = 2 + sum(p * np.log2(p + 1e-10) for p in shares)
            base = start + column if split.implants.strand[i] == 1 else end - 1 - column
            truth[row, base] = information > 0.01
        assert split.implants.log_odds[i] == pytest.approx(bits, abs=1e-4)
    assert set(np.unique(split.implants.strand)) == {-1, 1}
    np.testing.assert_array_equal(split.truth, truth)


def test_column_information_is_the_study_s():
    ppm = np.array([[0.25, 1.0, 0.5], [0.25, 0.0, 0.5], [0.25, 0.0, 0.0], [0.25, 0.0, 0.0]])
    np.testing.assert_allclose(column_information(ppm), [0, 2, 1], atol=1e-8)


@pytest.mark.parametrize("name", list(STUDY))
def test_implants_lie_inside_do_not_overlap_and_are_in_order(name, datasets):
    for split in datasets[name].splits.values():
        implants = split.implants
        assert (implants.start >= 0).all()
        assert (implants.end <= LENGTH).all()
        assert np.isfinite(implants.log_odds).all()
        same = implants.sequence[1:] == implants.sequence[:-1]
        assert (implants.sequence[1:] >= implants.sequence[:-1]).all()
        assert (implants.start[1:] >= implants.end[:-1])[same].all()
        assert set(implants.sequence.tolist()) == set(range(len(split.sequences)))


@pytest.mark.parametrize("name", list(STUDY))
def test_types_and_shapes_are_those_promised(name, datasets):
    spec = datasets[name].spec
    for split in datasets[name].splits.values():
        n = len(split.sequences)
        assert split.sequences.shape == split.truth.shape == (n, LENGTH)
        assert split.labels.shape == (n, len(spec.classes))
        assert split.sequences.dtype == split.labels.dtype == split.truth.dtype == np.uint8
        assert split.sequences.max() == 3
        assert set(np.unique(split.truth)) == {0, 1}
        types = {key: str(value.dtype) for key, value in vars(split.implants).items()}
        assert types == {
            "sequence": "int32",
            "motif": "int16",
            "strand": "int8",
            "start": "int16",
            "end": "int16",
            "log_odds": "float32",
        }


def by_sequence(split):
    """Implants of each sequence as sets of rows without the sequence's number."""
    table = [[] for _ in split.sequences]
    implants = split.implants
    for i, row in enumerate(implants.sequence):
        table[row].append(
            tuple(
                float(getattr(implants, key)[i])
                for key in ("motif", "strand", "start", "end", "log_odds")
            )
        )
    return table


def test_rows_keep_implants_with_their_sequences_in_any_order_and_repeated(regulatory_code):
    split = regulatory_code.splits["valid"]
    rows = np.random.default_rng(0).integers(0, len(split.sequences), 400)
    rows[:4] = [7, 7, 0, len(split.sequences) - 1]
    taken, whole = split.rows(rows), by_sequence(split)
    np.testing.assert_array_equal(taken.sequences, split.sequences[rows])
    np.testing.assert_array_equal(taken.labels, split.labels[rows])
    np.testing.assert_array_equal(taken.truth, split.truth[rows])
    assert by_sequence(taken) == [whole[row] for row in rows]
    assert (np.diff(taken.implants.sequence) >= 0).all()


def test_no_rows_give_an_empty_split(regulatory_code):
    empty = regulatory_code.splits["valid"].rows(np.array([], dtype=np.intp))
    assert empty.sequences.shape == (0, LENGTH)
    assert len(empty.implants.start) == 0


@pytest.mark.parametrize("n", [0, 1, 137, 2000, 5000, None])
def test_a_head_is_the_first_sequences_with_their_implants(regulatory_code, n):
    split = regulatory_code.splits["valid"]
    head = split.head(n)
    np.testing.assert_array_equal(head.sequences, split.sequences[:n])
    np.testing.assert_array_equal(head.labels, split.labels[:n])
    np.testing.assert_array_equal(head.truth, split.truth[:n])
    assert by_sequence(head) == by_sequence(split)[:n]
