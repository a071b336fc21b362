"""The oracle is above all, noise is at chance, rivals count letters, all are ordinary entries."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from engine_specs import AFFINITY, NUMBER, RULES, engine_text
from sklearn.metrics import roc_auc_score

from motifidelity.entries import DIVISION, GC_CONTENT, KMER_REGRESSION, RIVALS
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.kmers import fit_kmers
from motifidelity.metrics.readings import READINGS
from motifidelity.registry import Registry
from motifidelity.runs.ceilings import (
    oracle_arrays,
    random_arrays,
    record_references,
    rival_arrays,
)
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.scoring.evidence import stored_evidence
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.summary.ranks import competing, kinds
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import generate
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import parse_spec
from motifidelity.worker.arrays import CURVES


def truth_of(dataset):
    spec = dataset.spec
    few = dataclasses.replace(spec.attribution, tested=6, perturbations=5, resamples=1)
    spec = dataclasses.replace(spec, attribution=few)
    profile = dataclasses.replace(spec.profile("full"), test=600, explained=120)
    return Truth(dataclasses.replace(dataset, spec=spec), profile)


@pytest.fixture(scope="module", params=["motif-classes", "regulatory-code"])
def truth(request, datasets):
    return truth_of(datasets[request.param])


def scores_of(truth, arrays):
    found = score_job(truth, present_classes(truth, arrays)).scores
    return {(s.metric, s.method): s for s in found if s.target is None}


def expected_precision(truth):
    """Mean over sequences of the expected average precision of a random ranking.

    Bestgen, Prague Bull. Math. Linguist. 103 (2015): (R-1)/(N-1) + (N-R)/(N(N-1)) H_N.
    """
    rows = truth.explained
    bases, planted = truth.bases.rows(rows), truth.test.truth[rows] == 1
    kept = (planted | ~bases.chance) & ~bases.low_information
    values = []
    for marks, keep in zip(planted, kept, strict=True):
        n, r = int(keep.sum()), int((marks & keep).sum())
        harmonic = sum(1 / k for k in range(1, n + 1))
        values.append((r - 1) / (n - 1) + (n - r) / (n * (n - 1)) * harmonic)
    return np.mean(values)


def test_ceilings_answer_what_a_probe_is_asked_of_maps_read_otherwise(truth):
    more = {"readings": READINGS, "explain": "all", "by_class": True}
    asked = dataclasses.replace(truth.spec.attribution, tested=2, **more)
    spec = dataclasses.replace(truth.spec, attribution=asked)
    profile = dataclasses.replace(truth.profile, test=100, explained=6)
    small = Truth(dataclasses.replace(truth.dataset, spec=spec), profile)
    classes = len(spec.classes)
    wanted = small.explanations.arrays(len(small.asked), spec.length, classes)
    curves = {
        name: one for name, one in wanted.items() if one.part in CURVES and one.method != "random"
    }
    assert "deepshap_magnitude_deletion" in curves
    assert "saliency_signed_deletion" not in curves
    for make in (oracle_arrays, random_arrays):
        arrays = make(small)
        assert {name: arrays[name].shape for name in curves} == {
            name: one.shape for name, one in curves.items()
        }
        assert len(arrays["ism"]) == len(small.asked)
        found = {(s.metric, s.method): s.value for s in scores_of(small, arrays).values()}
        negatives = ("negative_auroc", "ism") in found
        assert negatives == (spec.target == "binary")
        assert (("specificity_auroc", "ism") in found) != negatives


@pytest.fixture(scope="module")
def oracle(truth):
    return scores_of(truth, oracle_arrays(truth))


@pytest.fixture(scope="module")
def noise(truth):
    return scores_of(truth, random_arrays(truth))


def test_the_oracle_is_near_the_top_of_every_score(oracle, truth):
    assert oracle["auroc", None].value > 0.97
    assert oracle["match_fraction", None].value == 1
    assert oracle["motifs_found", None].value == len(truth.true_motifs)
    assert oracle["localisation_auroc", "filter"].value > 0.98
    for method in truth.methods:
        if method == "random" or method.startswith("paper_"):
            continue
        assert oracle["attribution_auroc", method].value > 0.98
        assert oracle["attribution_aupr", method].value > 0.96
        assert oracle["instance_recall", method].value > 0.9
        assert oracle["pwm_cosine", method].value > 0.85
        assert oracle["infidelity", method].value < 0.5


def test_noise_is_at_chance_in_every_score(noise, truth):
    assert noise["auroc", None].value == pytest.approx(0.5, abs=0.05)
    assert noise["localisation_auroc", "filter"].value < 0.65
    assert noise["match_fraction", None].value <= 2 / 32
    for method in truth.methods:
        if method.startswith("paper_"):
            continue
        score = noise["attribution_auroc", method]
        # 120 sequences: three standard errors of the mean
        assert score.value == pytest.approx(0.5, abs=3 * score.sd / np.sqrt(score.n))
        precision = noise["attribution_aupr", method]
        margin = 3 * precision.sd / np.sqrt(precision.n)
        assert precision.value == pytest.approx(expected_precision(truth), abs=margin)
        assert noise["instance_recall", method].value < 0.15
        assert abs(noise["pwm_cosine", method].value) < 0.05
        assert noise["infidelity", method].value > 0.7


def test_the_oracle_is_above_noise_in_the_direction_of_every_metric(oracle, noise):
    directions = {name: metric.direction for name, metric in all_metrics().items()}
    compared = 0
    for key, ceiling in oracle.items():
        if key not in noise or key[1] == "pwm" or directions[key[0]] == "neutral":
            continue
        sign = {"higher": 1, "lower": -1}[directions[key[0]]]
        assert sign * (ceiling.value - noise[key].value) >= 0, key
        compared += 1
    assert compared > 20


def test_the_oracle_answers_as_a_network_does(truth):
    network = oracle_network(truth)
    codes = truth.test.sequences[:7]
    one_hot = np.eye(4, dtype=np.float32)[codes]
    logits = network.logits(one_hot)
    assert logits.shape == (7, len(truth.spec.classes))
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(network.logits(one_hot[3:]), logits[3:])
    maps = network.maps(codes, mutagenesis=True)
    assert maps.shape == (*one_hot.shape, network.classes)
    assert (np.take_along_axis(maps, codes[..., None, None].astype(int), 2) == 0).all()


def test_references_are_ordinary_entries_recorded_once(datasets, tmp_path):
    truth = truth_of(datasets["regulatory-code"])
    registry = Registry(tmp_path / "registry")
    said = []
    assert record_references(registry, [truth], note=said.append) == 2
    assert len(said) == 2
    tables = registry.tables()
    assert set(tables.jobs["model"]) == {"Oracle", "Random"}
    assert set(tables.jobs["division"]) == {DIVISION}
    assert set(tables.scores["family"]) == {"accuracy", "filters", "localisation", "attribution"}
    for result in tables.jobs["result_id"]:
        evidence = stored_evidence(registry, result)
        assert evidence is not None
        assert {"saliency", "ism"} <= evidence.examples[0].maps.keys()
    assert record_references(registry, [truth]) == 0
    assert record_references(registry, [truth], again=True) == 2
    again = registry.tables()
    # scored again, the latest of each counts, and nothing has moved
    assert len(again.jobs) == 2
    keys = ["job_id", "metric", "method", "target"]
    first, second = (t.scores.sort_values(keys)["value"].to_numpy(float) for t in (tables, again))
    np.testing.assert_array_equal(first, second)


def with_rivals(truth):
    """The task with rivals, trained on less."""
    scoring = dataclasses.replace(truth.spec.scoring, rivals=RIVALS)
    spec = dataclasses.replace(truth.spec, scoring=scoring)
    profile = dataclasses.replace(truth.profile, train=2000, valid=400)
    return Truth(dataclasses.replace(truth.dataset, spec=spec), profile)


@pytest.fixture(scope="module")
def counting(datasets):
    truth = with_rivals(truth_of(datasets["regulatory-code"]))
    return truth, {name: rival_arrays(name, truth) for name in RIVALS}


def test_counting_letters_tells_labels_and_bases_apart(counting):
    truth, arrays = counting
    found = {name: scores_of(truth, mine) for name, mine in arrays.items()}
    gc, kmers = found[GC_CONTENT], found[KMER_REGRESSION]
    share = np.isin(truth.test.sequences, (1, 2)).mean(axis=1)
    expected = roc_auc_score(truth.test.labels[:, 0], share)
    assert gc["auroc", None].value == pytest.approx(max(expected, 1 - expected), abs=1e-6)
    assert kmers["auroc", None].value > gc["auroc", None].value + 0.1
    assert kmers["attribution_auroc", "saliency"].value > 0.7
    # linear: the map is the exact change of the logit
    assert kmers["gradient_fidelity", "saliency"].value == pytest.approx(1, abs=1e-6)
    # no filters
    assert not {"filters", "localisation"} & {all_metrics()[name].family for name, _ in kmers}


def test_the_changes_that_a_rival_s_mutagenesis_states_are_those_of_its_logit(counting):
    truth, arrays = counting
    train = truth.dataset.splits["train"].head(2000)
    valid = truth.dataset.splits["valid"].head(400)
    model = fit_kmers(train.sequences, train.labels, valid.sequences, valid.labels)
    codes = truth.test.sequences[truth.explained[:1]]
    mutants = np.repeat(codes, 200, axis=0)
    np.fill_diagonal(mutants, 3 - codes[0])
    changes = model.logits(mutants)[:, 0] - model.logits(codes)[:, 0]
    stated = arrays[KMER_REGRESSION]["ism"][0, np.arange(200), 3 - codes[0], 0]
    np.testing.assert_allclose(stated, changes, atol=1e-5)


def test_rivals_are_recorded_where_the_task_asks_for_them_and_never_rank(counting, tmp_path):
    truth, _ = counting
    registry = Registry(tmp_path / "registry")
    assert record_references(registry, [truth]) == 4
    jobs = registry.jobs()
    assert set(jobs["model"]) == {"Oracle", "Random", *RIVALS}
    assert set(jobs[jobs["model"].isin(RIVALS)]["num_filters"]) == {0}
    assert set(kinds(jobs)) == {"reference"}
    assert not competing(jobs).any()
    assert record_references(registry, [truth]) == 0


@pytest.fixture(scope="module", params=[RULES, NUMBER], ids=("rules", "number"))
def by_recipe(request, spec_texts):
    """A task whose data the engine draws."""
    text = engine_text(spec_texts["motif-classes@2"], request.param)
    spec = parse_spec(text.replace("sequences = 400", "sequences = 1500"), draft=True)
    motifs = load_motifs(spec.motifs)
    few = dataclasses.replace(spec.attribution, tested=2, perturbations=2, resamples=1)
    spec = dataclasses.replace(spec, attribution=few)
    profile = dataclasses.replace(spec.profile("full"), explained=16)
    return Truth(Dataset(spec, generate(spec, motifs), motifs), profile)


def test_the_oracle_of_a_recipe_tells_the_labels_and_points_at_the_sites(by_recipe):
    labels = by_recipe.test.labels
    oracle = scores_of(by_recipe, oracle_arrays(by_recipe))
    noise = scores_of(by_recipe, random_arrays(by_recipe))
    assert oracle["auroc", None].value > 0.97
    assert noise["auroc", None].value == pytest.approx(0.5, abs=0.1)
    assert oracle["maps", None].value > 0.4 + noise["maps", None].value
    assert oracle["filter_f1", None].value == 1
    # the logit is the posterior's: what it expects happens
    logits = oracle_arrays(by_recipe)["logits"]
    expected = (1 / (1 + np.exp(-logits.astype(float)))).mean(axis=0)
    assert expected == pytest.approx(labels.mean(axis=0), abs=3 * 0.5 / np.sqrt(len(labels)))


def test_a_site_that_breaks_a_rule_is_against_it(spec_texts):
    spec = parse_spec(engine_text(spec_texts["motif-classes@2"], RULES), draft=True)
    motifs = load_motifs(spec.motifs)
    truth = Truth(Dataset(spec, generate(spec, motifs), motifs), spec.profile("full"))
    network = oracle_network(truth)
    test = truth.test
    here = test.implants
    both = np.bincount(here.sequence[here.motif == 0], minlength=80) > 0
    both &= np.bincount(here.sequence[here.motif == 1], minlength=80) > 0
    signs = {}
    maps = network.maps(test.sequences, mutagenesis=False)[..., 0]
    observed = np.take_along_axis(maps, test.sequences[..., None].astype(int), 2)[..., 0]
    for row in np.flatnonzero(both):
        for motif in (0, 1):
            [site] = np.flatnonzero((here.sequence == row) & (here.motif == motif))
            total = observed[row, here.start[site] : here.end[site]].sum()
            signs.setdefault((int(test.labels[row, 0]), motif), []).append(total)
    # silenced: the repressor is what stands against the rule, and its removal would restore it
    assert max(signs[0, 1]) < 0
    assert len(signs[0, 1]) > 5
    # a site alone would satisfy the rule still: removing the far repressor changes nothing
    assert np.abs(signs[1, 1]).mean() < 0.1 * np.abs(signs[0, 1]).mean()
    assert np.mean(signs[1, 0]) > 10 * np.abs(signs[0, 0]).mean()


@pytest.fixture(scope="module")
def by_function(spec_texts):
    """A small regression, with questions about its function."""
    spec = parse_spec(
        engine_text(spec_texts["motif-classes@2"], AFFINITY)
        .replace("sequences = 400", "sequences = 2000")
        .replace("[scoring]", "[scoring]\nbackgrounds = 4"),
        draft=True,
    )
    motifs = load_motifs(spec.motifs)
    few = dataclasses.replace(spec.attribution, tested=2, perturbations=2, resamples=1)
    spec = dataclasses.replace(spec, attribution=few)
    profile = dataclasses.replace(spec.profile("full"), explained=8)
    return Truth(Dataset(spec, generate(spec, motifs), motifs), profile)


OF_FUNCTIONS = ("pearson", "spearman", "affinity_response", "epistasis")
OF_VARIANTS = ("variant_effect_r", "variant_effect_rho", "variant_sign")


@pytest.fixture(scope="module")
def regression(by_function):
    entries = {"oracle": oracle_arrays(by_function), "noise": random_arrays(by_function)}
    entries |= {name: rival_arrays(name, by_function) for name in RIVALS}
    return {name: scores_of(by_function, arrays) for name, arrays in entries.items()}


def test_the_oracle_of_a_regression_is_its_function(regression, by_function):
    oracle = regression["oracle"]
    for metric in (*OF_FUNCTIONS, *OF_VARIANTS, "r2", "calibration_slope", "affinity_slope"):
        assert oracle[metric, None].value == pytest.approx(1, abs=1e-5), metric
    read = [method for metric, method in oracle if metric == "map_variant_r"]
    assert {"saliency", "ism", "deepshap"} <= set(read)
    for method in set(read) - {"random"}:
        assert oracle["map_variant_r", method].value == pytest.approx(1, abs=1e-5), method
    named = {
        s.target
        for s in score_job(
            by_function, present_classes(by_function, oracle_arrays(by_function))
        ).scores
        if s.metric == "affinity_response"
    }
    assert named == {"SP1", "Gabpa", "YY1", None}


def test_noise_knows_nothing_of_a_regression(regression, by_function):
    noise = regression["noise"]
    error = 1 / np.sqrt(len(by_function.test.sequences))
    assert noise["pearson", None].value == pytest.approx(0, abs=4 * error)
    # 8 sequences of 600 substitutions
    assert noise["variant_effect_r", None].value == pytest.approx(0, abs=4 / np.sqrt(8 * 600))
    assert noise["epistasis", None].value == 0


def test_counting_answers_a_regression_in_part(regression):
    gc, kmers = regression[GC_CONTENT], regression[KMER_REGRESSION]
    assert 0.3 < kmers["pearson", None].value < 0.95
    assert kmers["pearson", None].value > gc["pearson", None].value + 0.1
    assert 0.2 < kmers["variant_effect_r", None].value < 0.95
    # what is linear in counts has no more than the sum, up to words that two sites share
    assert kmers["epistasis", None].value < 0.05
    assert kmers["map_variant_r", "saliency"].value == pytest.approx(
        kmers["variant_effect_r", None].value, abs=1e-6
    )


def test_a_regression_has_no_score_of_classes(regression):
    of_classes = {"auroc", "aupr", "paper_aupr", "auroc_error", "scan_reliance"}
    for found in regression.values():
        assert not of_classes & {metric for metric, _ in found}
