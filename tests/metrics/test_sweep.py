import numpy as np
import pytest

from motifidelity.metrics.attribution.patterns import score_patterns
from motifidelity.metrics.filters.families import score_families
from motifidelity.metrics.filters.filter_matches import score_filters
from motifidelity.metrics.filters.sweep import jaccard, score_sweep
from motifidelity.metrics.motifs.hits import FilterRow, MotifDatabase

LENGTH = 60
RNG = np.random.default_rng(0)
PPMS = [0.9 * np.eye(4)[row] + 0.025 for row in RNG.integers(0, 4, (40, 10))]
IDS = [f"M{i}" for i in range(40)]
DATABASE = MotifDatabase(IDS, [f"name of {i}" for i in IDS], PPMS)
ACCEPTED = {"T0": ("M0",), "T1": ("M1", "M11"), "T2": ("M2",)}


def detectors(instances, sites=200, seed=1):
    """Filters whose strongest `instances[f][1]` sites hold motif `instances[f][0]`."""
    rng = np.random.default_rng(seed)
    n = len(instances) * sites
    sequences = rng.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    top = np.full((len(instances), sites, 2), -1, np.int32)
    for f, (motif, planted) in enumerate(instances):
        for k in range(sites):
            i, position = f * sites + k, int(rng.integers(12, LENGTH - 12))
            if k < planted:
                letters = [rng.choice(4, p=column) for column in PPMS[motif]]
                sequences[i, position - 5 : position + 5] = letters
            top[f, k] = i, position
    return sequences, top


def values(scores):
    return {(score.metric, score.method): score.value for score in scores}


def test_filters_that_hold_their_motif_at_every_number_of_sites_are_stable():
    sequences, top = detectors([(0, 200), (1, 200), (20, 200)])
    got = values(score_sweep(sequences, top, DATABASE, ACCEPTED))
    sizes = ("top20", "top50", "top100", "top200")
    assert got == {
        ("match_fraction_sweep", None): pytest.approx(2 / 3),
        **{("match_fraction_sweep", size): pytest.approx(2 / 3) for size in sizes},
        ("match_stability", None): 1.0,
    }


def test_a_motif_in_the_best_sites_alone_is_lost_on_the_way():
    # The second filter holds its motif in 20 of 200 sites: one in ten is no pattern any more.
    sequences, top = detectors([(0, 200), (1, 20)])
    scores = score_sweep(sequences, top, DATABASE, ACCEPTED, sizes=(20, 200))
    got = values(scores)
    assert got["match_fraction_sweep", "top20"] == 1
    assert got["match_fraction_sweep", "top200"] == 0.5
    assert (scores[0].value, scores[0].sd, scores[0].n) == (0.75, 0.25, 2)
    assert got["match_stability", None] == 0.5


def test_sizes_that_the_probe_did_not_give_are_left_out():
    sequences, top = detectors([(0, 200)])
    methods = {s.method for s in score_sweep(sequences, top[:, :100], DATABASE, ACCEPTED)}
    assert methods == {None, "top20", "top50", "top100"}
    assert score_sweep(sequences, top[:, :20], DATABASE, ACCEPTED) == []
    assert score_sweep(sequences, top[:0], DATABASE, ACCEPTED) == []


def test_more_sites_than_a_hundred_change_no_other_score():
    sequences, top = detectors([(0, 100), (1, 100)])

    def score(sites):
        return score_filters(
            sequences,
            np.zeros((len(sequences), LENGTH, 1), np.uint8),
            sites,
            database_ids=IDS,
            database_names=IDS,
            database_ppms=PPMS,
            accepted=ACCEPTED,
            accepted_paper=ACCEPTED,
        )

    whole, first = score(top), score(top[:, :100])
    assert whole.scores == first.scores
    assert whole.filters[0].num_sites == 100


def test_overlap_of_sets_by_hand():
    assert jaccard([{"a", "b"}, {"b"}, set()]) == (pytest.approx((0.5 + 0 + 0) / 3), 3)
    value, pairs = jaccard([set(), set()])
    assert np.isnan(value)
    assert pairs == 0


def row(best_hit, true_tf=None):
    ppm = np.full((20, 4), 0.25, np.float32)
    return FilterRow(0, "corrected", 50, ppm, 0.0, best_hit=best_hit, true_tf=true_tf)


def test_families_by_hand():
    families = {"M0": ["ets"], "M5": ["ets", "other"], "M1": ["zip"], "M9": ["homeo"], "M2": []}
    rows = [row("M5"), row("M9"), row("M0", "T0"), row(None), row("unknown")]
    got = {s.metric: (s.value, s.n) for s in score_families(rows, families, ACCEPTED)}
    # T2 has no family; of T0 and T1 only T0's was seen.
    assert got == {"family_match_fraction": (2 / 5, 5), "family_recall": (1 / 2, 2)}
    assert score_families([], families, ACCEPTED) == []


def test_every_real_true_motif_has_a_family(motif_classes):
    from pyjaspar import jaspardb

    records = jaspardb(release="JASPAR2016").fetch_motifs(
        collection="CORE", tax_group=["vertebrates"]
    )
    families = {record.matrix_id: record.tf_family or () for record in records}
    accepted = motif_classes.spec.accepted["corrected"]
    rows = [row(next(i for i in ids if i in families)) for ids in accepted.values()]
    got = {s.metric: (s.value, s.n) for s in score_families(rows, families, accepted)}
    assert got == {"family_match_fraction": (1, 12), "family_recall": (1, 12)}


def flanked(ppm, left, right):
    return np.concatenate([np.full((left, 4), 0.25), ppm, np.full((right, 4), 0.25)])


def test_patterns_are_counted_as_by_hand():
    # T0 twice (once on the other strand), T1 by its second matrix, one that is not true, one flat.
    patterns = [
        flanked(PPMS[0], 8, 12),
        flanked(PPMS[0][::-1, ::-1], 3, 5),
        flanked(PPMS[11], 10, 10),
        flanked(PPMS[20], 10, 10),
        np.full((30, 4), 0.25),
    ]
    result = score_patterns("deepshap", patterns, [90, 80, 70, 60, 50], DATABASE, ACCEPTED)
    recall, precision = result.scores
    assert (recall.metric, recall.method, recall.n) == ("pattern_recall", "deepshap", 3)
    assert recall.value == pytest.approx(2 / 3)
    assert (precision.metric, precision.method, precision.n) == ("pattern_precision", "deepshap", 5)
    assert precision.value == pytest.approx(3 / 5)
    assert [p.true_tf for p in result.patterns] == ["T0", "T0", "T1", None, None]
    assert [p.best_hit for p in result.patterns] == ["M0", "M0", "M11", "M20", None]
    assert [p.num_sites for p in result.patterns] == [90, 80, 70, 60, 50]


def test_all_true_patterns_score_one_and_none_at_all_has_no_precision():
    ppms = [PPMS[0], PPMS[1], PPMS[2]]
    scores = score_patterns("ism", ppms, [20] * 3, DATABASE, ACCEPTED).scores
    assert [score.value for score in scores] == [1, 1]
    recall, precision = score_patterns("ism", [], [], DATABASE, ACCEPTED).scores
    assert recall.value == 0
    assert np.isnan(precision.value)
