import numpy as np
import pytest

from motifidelity.metrics.filters.filter_f1 import score_f1
from motifidelity.metrics.filters.filter_matches import (
    FilterRow,
    corrected_scores,
    paper_scores,
    score_filters,
)
from motifidelity.metrics.motifs.hits import MotifDatabase

LENGTH = 60
TRUE = ("T0", "T1", "T2")


def motifs(number, width=10, seed=0):
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (number, width))
    return [0.9 * np.eye(4)[row] + 0.025 for row in letters]


DATABASE = motifs(40)
IDS = [f"M{i}" for i in range(40)]
ACCEPTED = {"T0": ("M0", "absent"), "T1": ("M1", "M11"), "T2": ("M2",)}


def score(sequences, mask, top, accepted=ACCEPTED, accepted_paper=None, ids=IDS):
    return score_filters(
        sequences,
        np.packbits(mask, axis=-1),
        top,
        database_ids=ids,
        database_names=[f"name of {i}" for i in IDS],
        database_ppms=DATABASE,
        accepted=accepted,
        accepted_paper=accepted if accepted_paper is None else accepted_paper,
    )


def detectors(which, sites=60, seed=1):
    """Each filter answers at the centre of `sites` planted instances of one database motif.

    `which` holds a database index, ~index for the reverse complement, or None for a filter that
    answers anywhere.
    """
    rng = np.random.default_rng(seed)
    n = len(which) * sites
    sequences = rng.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    mask = np.zeros((n, LENGTH, len(which)), bool)
    top = np.full((len(which), 100, 2), -1, np.int32)
    for f, motif in enumerate(which):
        for k in range(sites):
            i = f * sites + k
            position = int(rng.integers(12, LENGTH - 12))
            if motif is not None:
                ppm = DATABASE[motif] if motif >= 0 else DATABASE[~motif][::-1, ::-1]
                for column, p in enumerate(ppm):
                    sequences[i, position - 5 + column] = rng.choice(4, p=p)
            mask[i, position, f] = True
            top[f, k] = i, position
    return sequences, mask, top


def values(result):
    return {s.metric: s.value for s in result.scores}


def test_filters_that_hold_all_true_motifs_score_one():
    got = values(score(*detectors([0, ~1, 2])))
    assert got == {
        "match_any": 1.0,
        "match_fraction": 1.0,
        "motifs_found": 3.0,
        "motif_recall": 1.0,
        "redundancy": 0.0,
        "flat_filters": 0.0,
        "paper_match_any": 1.0,
        "paper_match_fraction": 1.0,
        "paper_motif_coverage": 1.0,
    }


def test_a_filter_bank_is_counted_as_by_hand():
    # Two filters repeat T0, one holds T1 by its second matrix, one a known motif that is not true,
    # and one nothing.
    got = values(score(*detectors([0, ~0, 11, 20, None])))
    assert got["match_any"] == 4 / 5
    assert got["match_fraction"] == 3 / 5
    assert got["motifs_found"] == 2
    assert got["motif_recall"] == pytest.approx(2 / 3)
    assert got["redundancy"] == pytest.approx(1 - 2 / 3)
    assert got["flat_filters"] == 1
    assert got["paper_match_fraction"] == 3 / 5
    assert got["paper_motif_coverage"] == pytest.approx(2 / 3)


def test_rows_say_what_each_filter_matched():
    result = score(*detectors([0, ~11, 20, None]))
    assert [(r.filter, r.definition) for r in result.filters] == [
        (f, d) for d in ("corrected", "paper") for f in range(4)
    ]
    for row in result.filters[:2]:
        assert row.num_sites == 60
        assert row.ppm.dtype == np.float32
        assert row.ppm.sum(axis=1) == pytest.approx(1)
        assert row.information == pytest.approx(10 * 1.37, rel=0.2)
    first, second, third, nothing = result.filters[:4]
    assert (first.best_hit, first.best_hit_name) == ("M0", "name of M0")
    assert (first.strand, first.true_tf, first.overlap) == ("+", "T0", 10)
    # Three columns of flank precede the motif at most.
    assert -3 <= first.offset <= 0
    assert first.evalue == first.true_evalue < 1e-3
    assert (second.best_hit, second.strand, second.true_tf) == ("M11", "-", "T1")
    assert (third.best_hit, third.true_tf) == ("M20", None)
    assert third.true_evalue > 0.1
    assert nothing == FilterRow(3, "corrected", 60, nothing.ppm, nothing.information)


def test_too_few_sites_are_flat_by_each_definition_s_own_limit():
    nineteen = score(*detectors([0], sites=19))
    assert values(nineteen)["flat_filters"] == 1
    assert values(nineteen)["match_any"] == 0
    assert values(nineteen)["paper_match_fraction"] == 1
    assert values(score(*detectors([0], sites=20)))["match_fraction"] == 1
    single = score(*detectors([0], sites=1))
    assert (single.filters[1].ppm == 0.25).all()
    assert (single.filters[1].num_sites, single.filters[1].evalue) == (1, None)
    assert values(single)["paper_match_any"] == 0


def test_a_silent_filter_has_no_hit_and_an_empty_network_no_score():
    sequences, mask, top = detectors([0])
    silent = values(score(sequences, mask & False, top * 0 - 1))
    assert silent["match_any"] == silent["paper_match_any"] == 0
    assert silent["flat_filters"] == 1
    nothing = score(sequences, mask[..., :0], top[:0])
    assert nothing.scores == nothing.filters == []


def test_each_definition_uses_its_own_accepted_matrices():
    paper = {**ACCEPTED, "T2": ("M2", "M30")}
    got = values(score(*detectors([30]), accepted_paper=paper))
    assert got["match_fraction"] == 0
    assert got["paper_match_fraction"] == 1


def coverage_by_loop(true_tfs, names):
    """Literal transcription of the study's count; index 0 stands for no motif."""
    best_match = np.zeros(len(true_tfs))
    best_qvalues = np.ones(len(true_tfs))
    for f, tf in enumerate(true_tfs):
        if tf is not None:
            best_match[f], best_qvalues[f] = 1 + names.index(tf), 0.01
    min_qvalue = np.zeros(len(names) + 1)
    for i in range(len(names) + 1):
        index = np.where(best_match == i)[0]
        if len(index) > 0:
            min_qvalue[i] = np.min(best_qvalues[index])
    return (len(np.where(min_qvalue != 1)[0]) - 1) / len(names)


@pytest.mark.parametrize(
    "true_tfs",
    [[None] * 4, ["T0", None], ["T0", "T1", "T2", None], ["T0"], ["T0", "T1", "T2", "T2"]],
)
def test_the_study_s_coverage_has_its_counting_defect(true_tfs):
    rows = [
        FilterRow(f, "paper", 9, np.full((20, 4), 0.25, np.float32), 0.0, true_tf=tf)
        for f, tf in enumerate(true_tfs)
    ]
    got = {s.metric: s.value for s in paper_scores(rows, len(TRUE))}
    assert got["paper_motif_coverage"] == pytest.approx(coverage_by_loop(true_tfs, list(TRUE)))


def test_one_matched_filter_is_not_redundant_and_twins_are():
    def redundancy(*tfs):
        rows = [
            FilterRow(f, "corrected", 9, np.empty((0, 4), np.float32), 0.0, true_tf=tf)
            for f, tf in enumerate(tfs)
        ]
        return {s.metric: s.value for s in corrected_scores(rows, 0, 3)}["redundancy"]

    assert redundancy(None, None) == redundancy("T0", None) == redundancy("T0", "T1") == 0
    assert redundancy("T0", "T0", None) == 0.5
    assert redundancy("T0", "T0", "T0", "T1") == 0.5


def test_a_lone_hit_on_the_attractor_is_no_hit():
    sequences, mask, top = detectors([20, 0])
    ids = ["MA0615.1" if name == "M20" else name for name in IDS]
    result = score(sequences, mask, top, ids=ids)
    assert values(result)["match_any"] == values(result)["paper_match_any"] == 0.5
    assert result.filters[0].best_hit is None
    assert result.filters[0].evalue < 0.1
    # Where it is one of the task's true motifs it counts.
    true = {**ACCEPTED, "Gmeb1": ("MA0615.1",)}
    assert values(score(sequences, mask, top, accepted=true, ids=ids))["match_any"] == 1


def test_a_tf_without_a_matrix_in_the_database_is_refused():
    with pytest.raises(ValueError, match=r"none of T9's matrices \['no'\] is in the database"):
        score(*detectors([0]), accepted={"T9": ("no",)})


def f1_of(which, implanted=None, **given):
    sequences, _, top = detectors(which, **given)
    database = MotifDatabase(IDS, [f"name of {i}" for i in IDS], DATABASE)
    found = score_f1(sequences, top, database, ACCEPTED, implanted or ACCEPTED)
    return {s.metric: s.value for s in found}


def test_f1_is_of_the_filters_that_match_and_of_the_motifs_that_are_found():
    # of five filters three match, of three motifs two are found
    bank = [0, ~0, 11, 20, None]
    precision, recall = 3 / 5, 2 / 3
    f1 = 2 * precision * recall / (precision + recall)
    assert f1_of(bank) == pytest.approx({"filter_precision": precision, "filter_f1": f1})
    # the fourth holds a motif of the background, which is no error and no motif to know
    precision = 4 / 5
    f1 = 2 * precision * recall / (precision + recall)
    found = f1_of(bank, {**ACCEPTED, "M20": ("M20",)})
    assert found == pytest.approx({"filter_precision": precision, "filter_f1": f1})
    # one perfect filter is not enough, nor is one among many dead ones
    assert f1_of([0])["filter_f1"] == pytest.approx(0.5)
    assert f1_of([0, *[None] * 9])["filter_f1"] == pytest.approx(2 * 0.1 / 3 / (0.1 + 1 / 3))
    assert f1_of([0, ~1, 2])["filter_f1"] == 1.0
    assert f1_of([None]) == {"filter_precision": 0.0, "filter_f1": 0.0}
    assert f1_of([]) == {}
