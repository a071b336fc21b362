import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifidelity.metrics.areas import rank_rows
from motifidelity.metrics.attribution.base_ranking import score_attribution
from motifidelity.metrics.attribution.contrast import score_contrast
from motifidelity.metrics.attribution.instances import score_instances
from motifidelity.metrics.methods import observed
from motifidelity.metrics.motifs.ppm import site_counts, top_site_counts
from motifidelity.metrics.motifs.pwm import reverse_complement, site_log_odds
from motifidelity.metrics.oracle import (
    normalise,
    oracle_filters,
    oracle_map,
    oracle_mutagenesis,
    random_filters,
    random_maps,
    scan_filters,
)
from motifidelity.metrics.truth.bases import base_truth, find_spans
from motifidelity.metrics.truth.scan import pwm_scan


def small(seed=0, m=6, length=40):
    rng = np.random.default_rng(seed)
    motifs = [rng.dirichlet([0.5] * 4, size=width) for width in (4, 7, 6)]
    return rng, motifs, rng.integers(0, 4, (m, length), dtype=np.uint8)


@pytest.fixture(scope="module", params=["motif_classes", "regulatory_code"])
def explained(request):
    """The first 500 positive test sequences of a task with their truth."""
    dataset = request.getfixturevalue(request.param)
    split = dataset.splits["test"].head(1500)
    rows = np.flatnonzero(split.labels.any(axis=1))[:500]
    motifs = [motif.ppm.T for motif in dataset.implanted]
    core = range(len(dataset.spec.pools["core"]))
    spans = find_spans(split.sequences, split.implants, motifs, sought=core)
    truth = base_truth(split.sequences.shape, spans, motifs).rows(rows)
    labels = split.labels[rows]
    present = labels if labels.shape[1] > 1 else np.repeat(labels, len(core), axis=1)
    return (
        split.sequences[rows],
        truth,
        spans.of_sequences(rows),
        motifs,
        motifs[: len(core)],
        present,
    )


def scores(method, maps, sequences, truth, spans, motifs):
    logits = np.zeros(len(maps))
    marks = (truth.study, truth.chance, truth.low_information)
    found = score_attribution(method, maps, logits, sequences, *marks)
    found += score_instances(method, maps, sequences, truth, spans, motifs)
    found += score_contrast(method, maps, sequences, truth, spans, motifs, maps)
    return {score.metric: score.value for score in found}


def test_the_oracle_reaches_its_published_attribution_scores(regulatory_code):
    """Protocol section 4: AUROC 0.992, AUPR 0.974 at prevalence 0.210, the study's own truth."""
    split = regulatory_code.splits["test"]
    rows = np.flatnonzero(split.labels[:, 0])[:500]
    core = [motif.ppm.T for motif in regulatory_code.implanted[:5]]
    sequences, truth = split.sequences[rows], split.truth[rows]
    importance = observed(oracle_map(sequences, core), sequences)
    areas = rank_rows(importance, truth)
    assert areas.auroc.mean() == pytest.approx(0.992, abs=0.0005)
    assert areas.average_precision.mean() == pytest.approx(0.974, abs=0.0005)
    assert areas.prevalence.mean() == pytest.approx(0.210, abs=0.0005)


def test_the_oracle_is_near_the_top_of_every_score_of_a_map(explained):
    sequences, truth, spans, motifs, core, present = explained
    contributions = oracle_map(sequences, core, present)
    got = scores("deepshap", contributions, sequences, truth, spans, motifs)
    assert got["attribution_auroc"] > 0.997
    assert got["attribution_aupr"] > 0.99
    assert got["instance_recall"] > 0.97
    assert got["signal_to_noise"] > 8
    assert got["pwm_cosine"] > 0.99
    mutants = oracle_mutagenesis(sequences, core, present)
    got = scores("ism", mutants, sequences, truth, spans, motifs)
    assert got["attribution_auroc"] > 0.995
    assert got["attribution_aupr"] > 0.98
    assert got["instance_recall"] > 0.99
    assert got["signal_to_noise"] > 6
    assert got["pwm_cosine"] > 0.92


def test_random_maps_are_at_the_floor_of_every_score_of_a_map(explained):
    sequences, truth, spans, motifs, _, _ = explained
    maps = random_maps(np.random.default_rng(0), *sequences.shape)
    got = scores("saliency", maps, sequences, truth, spans, motifs)
    assert got["attribution_auroc"] == pytest.approx(0.5, abs=0.01)
    assert got["paper_attribution_auroc"] == pytest.approx(0.5, abs=0.01)
    # A small share of average precision is luck: (1 - p) H / N, 0.03 for 200 bases.
    above = got["attribution_aupr"] - got["attribution_prevalence"]
    assert 0 < above < 0.03
    assert got["instance_recall"] < 0.05
    assert got["signal_to_noise"] == pytest.approx(0, abs=0.05)
    assert got["pwm_cosine"] == pytest.approx(0, abs=0.02)


def test_the_oracle_ranks_bases_as_the_best_covering_site_does():
    _, motifs, sequences = small()
    maps = oracle_map(sequences, motifs)
    best = np.full(sequences.shape, -np.inf)
    for ppm in motifs + [reverse_complement(ppm) for ppm in motifs]:
        sites = site_log_odds(sequences, ppm)
        for i, start in np.ndindex(*sites.shape):
            span = best[i, start : start + len(ppm)]
            np.maximum(span, sites[i, start], out=span)
    here = observed(maps, sequences)
    expected = np.log2(1 + 2**best / 80)
    np.testing.assert_allclose(here, expected)
    np.testing.assert_array_equal(np.argsort(here, axis=1), np.argsort(expected, axis=1))


def test_another_letter_changes_the_best_site_s_log_odds():
    rng = np.random.default_rng(1)
    motif = rng.dirichlet([0.7] * 4, size=5)
    sequence = np.argmax(motif, axis=1).astype(np.uint8)[None]  # the one site, as strong as it gets
    maps, mutants = (make(sequence, [motif])[0] for make in (oracle_map, oracle_mutagenesis))
    mixed = np.log2(0.99 * motif + 0.0025)
    change = mixed - mixed[np.arange(5), sequence[0]][:, None]
    # Prior odds of a start and strand 1 / 10; the odds of the site and of the mutated one.
    odds = 2 ** site_log_odds(sequence, motif)[0, 0] / 10
    expected = np.log2(1 + odds * 2**change) - np.log2(1 + odds)
    np.testing.assert_allclose(mutants, expected, atol=1e-12)
    np.testing.assert_allclose(maps, np.log2(1 + odds) + odds / (1 + odds) * change)


def test_motifs_that_a_sequence_does_not_have_are_not_explained():
    _, motifs, sequences = small(2)
    present = np.zeros((6, 3), bool)
    present[1:4, 1] = True
    maps = oracle_map(sequences, motifs, present)
    assert not maps[[0, 4, 5]].any()
    alone = oracle_map(sequences, motifs[1:2])
    np.testing.assert_allclose(maps[1:4], alone[1:4])
    assert not oracle_mutagenesis(sequences, motifs, present)[0].any()
    with pytest.raises(ValueError, match=r"present \(6, 2\) must be \(6, 3\)"):
        oracle_map(sequences, motifs, present[:, :2])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_and_strand_change_no_oracle(seed):
    rng, motifs, sequences = small(seed)
    for make in (oracle_map, oracle_mutagenesis):
        maps = make(sequences, motifs)
        order = rng.permutation(len(sequences))
        np.testing.assert_array_equal(make(sequences[order], motifs), maps[order])
        turned = make(3 - sequences[:, ::-1], motifs)[:, ::-1, ::-1]
        # Where two sites tie, their columns may differ, but not the evidence.
        np.testing.assert_allclose(
            observed(turned, sequences), observed(maps, sequences), atol=1e-12
        )


def scan_by_loop(sequences, filters, window, top):
    """Every array of the probe, filter by filter and site by site."""
    n, length = sequences.shape
    one_hot = np.eye(4)[sequences]
    scans, sites, maxima = [], [], []
    for weight in filters:
        width, left = len(weight), len(weight) // 2
        padded = np.pad(one_hot, ((0, 0), (left, width), (0, 0)))
        scan = np.stack(
            [(padded[:, p : p + width] * weight).sum(axis=(1, 2)) for p in range(length)], axis=1
        )
        scans.append(scan)
        maxima.append(max(scan.max(), 0))
        whole = [
            (-scan[i, p], i, p)
            for i in range(n)
            for p in range(length)
            if p - window // 2 > 0 and p - window // 2 + window < length
        ]
        sites.append([(i, p) for _, i, p in sorted(whole)[:top]])
    above = [scan > 0.5 * largest for scan, largest in zip(scans, maxima, strict=True)]
    return np.stack(above, axis=2), sites, np.maximum(np.max(scans, axis=0), 0), maxima


def test_scanning_keeps_what_a_probe_keeps():
    rng, _, sequences = small(4, m=9, length=30)
    filters = [rng.normal(size=(width, 4)) for width in (5, 8, 19)]
    got = scan_filters(sequences, filters, top=25, window=7)
    above, sites, scan_max, maxima = scan_by_loop(sequences, filters, 7, 25)
    np.testing.assert_array_equal(np.unpackbits(got.above_half_max, axis=-1, count=3), above)
    np.testing.assert_array_equal(got.top_sites, sites)
    np.testing.assert_allclose(got.scan_max, scan_max, rtol=1e-6)
    np.testing.assert_allclose(got.filter_max, maxima, rtol=1e-6)
    for name, dtype in (
        ("above_half_max", "uint8"),
        ("top_sites", "int32"),
        ("scan_max", "float32"),
        ("filter_max", "float32"),
    ):
        assert getattr(got, name).dtype == dtype
    counts, number = top_site_counts(got.top_sites, sequences, 7)
    assert number.tolist() == [25] * 3
    assert counts.sum() == 3 * 25 * 7
    assert site_counts(got.above_half_max, 3, sequences, 7)[1].min() >= 0


def test_sites_beyond_what_there_are_stay_empty():
    _, motifs, sequences = small(5, m=1, length=23)
    got = scan_filters(sequences, oracle_filters(motifs), top=10)
    # Positions 11 and 12 alone have a whole window of 20 in 23 bases.
    assert (got.top_sites[:, 2:] == -1).all()
    assert sorted(got.top_sites[0, :2, 1].tolist()) == [11, 12]
    shorter = scan_filters(sequences[:, :15], oracle_filters(motifs), top=10)
    assert (shorter.top_sites == -1).all()


def test_the_oracle_scans_both_strands_like_the_reference_scan():
    _, motifs, sequences = small(6)
    got = scan_filters(sequences, oracle_filters(motifs), scan_both=True)
    np.testing.assert_allclose(got.scan_max, np.maximum(pwm_scan(sequences, motifs), 0), rtol=1e-6)
    forward = pwm_scan(sequences, motifs, both_strands=False)
    one = scan_filters(sequences, oracle_filters(motifs))
    np.testing.assert_allclose(one.scan_max, np.maximum(forward, 0), rtol=1e-6)
    np.testing.assert_array_equal(got.top_sites, one.top_sites)


def test_noise_follows_from_its_seed():
    for make in (lambda rng: random_maps(rng, 3, 20), lambda rng: random_filters(rng, 4)):
        first, second = (np.array(make(np.random.default_rng(7))) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert (first != np.array(make(np.random.default_rng(8)))).any()
    assert random_maps(np.random.default_rng(0), 3, 20).shape == (3, 20, 4)
    assert np.array(random_filters(np.random.default_rng(0), 4)).shape == (4, 19, 4)


def test_normalised_scores_by_hand():
    assert normalise(0.75, 0.5, 1.0) == 0.5
    assert normalise(0.5, 0.5, 0.9) == 0
    assert normalise(0.4, 0.5, 0.9) == pytest.approx(-0.25)
    assert normalise(0.98, 0.5, 0.9) == pytest.approx(1.2)
    # where lower is better
    assert normalise(0.15, 0.6, 0.0) == pytest.approx(0.75)
    assert np.isnan(normalise(0.5, 0.7, 0.7))
    for values in ((np.nan, 0, 1), (1, np.nan, 1), (1, 0, np.inf)):
        assert np.isnan(normalise(*values))
