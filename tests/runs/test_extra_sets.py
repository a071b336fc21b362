"""Extra test sets: what is asked of a network about them, and what oracle and noise get."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from engine_specs import NUMBER, engine_text
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.readings import read_maps
from motifidelity.metrics.truth.extra_sets import shifted_part
from motifidelity.runs.ceilings import oracle_arrays, random_arrays
from motifidelity.runs.phases import probe_settings
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, fits, present_classes
from motifidelity.tasks.fresh import fresh_dataset
from motifidelity.tasks.spec import parse_spec
from motifidelity.worker.arrays import EXTRA

EXTRAS = 8
HEADLINE = """
[[headline]]
family = "attribution"
metric = "decoy_auroc"
label = "decoys"
method = "mean"
reading = "signed"

[gates]"""


@pytest.fixture(scope="module")
def truth(spec_texts):
    text = engine_text(spec_texts["motif-classes@2"], NUMBER)
    text = text.replace("[attribution]\n", f"[attribution]\nextra = {EXTRAS}\n", 1)
    text = text.replace("[gates]", HEADLINE, 1)
    dataset = fresh_dataset(parse_spec(text, draft=True), 31)
    few = dataclasses.replace(dataset.spec.attribution, tested=4, perturbations=2, resamples=1)
    spec = dataclasses.replace(dataset.spec, attribution=few)
    profile = dataclasses.replace(spec.profile("full"), test=None, explained=20)
    return Truth(dataclasses.replace(dataset, spec=spec), profile)


@pytest.fixture(scope="module")
def oracle(truth):
    return present_classes(truth, oracle_arrays(truth))


def scored(truth, arrays):
    found = score_job(truth, arrays).scores
    return {(s.metric, s.method, s.reading, s.target): s for s in found}


def test_shifted_sets_are_asked_about_and_sequences_of_every_set_explained(truth):
    sets = truth.dataset.splits
    asked = truth.questions.parts
    for name in ("gc-65", "outer-sites"):
        np.testing.assert_array_equal(asked[shifted_part(name)], sets[name].sequences)
    assert shifted_part("decoys") not in asked
    explained = [sets[n].sequences[sets[n].labels[:, 0] == 1][:EXTRAS] for n in sets if n in (
        "gc-65", "outer-sites", "decoys"
    )]  # fmt: skip
    np.testing.assert_array_equal(truth.extra.explained, np.concatenate(explained))
    assert probe_settings(truth)[EXTRA] == ["gradient_corrected", "ism", "deepshap"]
    for one in truth.extra.shifted:
        assert one.planted.shape == (EXTRAS, truth.spec.length)
        negatives = sets[one.name].labels[:, 0] == 0
        assert ((one.kinds >= 0) == negatives).all()


def test_the_study_s_tasks_are_asked_nothing_more(motif_classes):
    spec = motif_classes.spec
    study = Truth(motif_classes, dataclasses.replace(spec.profile("quick"), test=20, explained=2))
    assert (study.extra, study.questions, study.explanations.extra) == (None, None, ())
    assert EXTRA not in probe_settings(study)


def test_the_oracle_has_all_of_itself_and_noise_nothing(truth, oracle):
    found = scored(truth, oracle)
    for name in ("gc-65", "outer-sites", None):
        assert found["shifted_worst", None, None, name].value == pytest.approx(1)
        assert found["shifted_maps", None, None, name].value == pytest.approx(1)
    assert found["decoy_auroc", "mean", "signed", None].value > 0.8
    worst = [one.oracle_worst for one in truth.extra.shifted]
    assert min(worst) > 0.8
    noise = scored(truth, present_classes(truth, random_arrays(truth)))
    # of 60 sequences a set: the lowest of three kinds is rarely above chance by a third
    assert noise["shifted_worst", None, None, None].value < 0.35
    assert noise["shifted_maps", None, None, None].value < 0.1
    assert noise["decoy_auroc", "ism", "signed", None].value == pytest.approx(0.5, abs=0.2)


def test_decoys_are_ranked_as_scikit_learn_ranks_them(truth, oracle):
    split = truth.dataset.splits["decoys"].head(EXTRAS)
    first = 2 * EXTRAS
    maps = oracle["ism_extra"]
    importance = read_maps("ism", maps, truth.extra.explained, "signed")
    areas = []
    for row in range(EXTRAS):
        means, true = [], []
        for table in (split.implants, split.decoys):
            for start, end in zip(
                table.start[table.sequence == row], table.end[table.sequence == row], strict=True
            ):
                means.append(importance[first + row, start:end].mean())
                true.append(table is split.implants)
        assert sum(true) == 2
        assert len(true) == 5
        areas.append(roc_auc_score(true, means))
    found = scored(truth, oracle)["decoy_auroc", "ism", "signed", None]
    assert (found.value, found.n) == (pytest.approx(np.mean(areas)), EXTRAS)


@pytest.mark.parametrize("change", [-1.0, 0.0])
def test_a_flipped_or_constant_network_has_no_more_than_nothing(truth, oracle, change):
    arrays = {
        name: array * change if "extra" in name or name == "asked_logits" else array
        for name, array in oracle.items()
    }
    found = scored(truth, arrays)
    right = scored(truth, oracle)["decoy_auroc", "ism", "signed", None].value
    assert found["shifted_worst", None, None, None].value == 0
    expected = 1 - right if change else 0.5
    assert found["decoy_auroc", "ism", "signed", None].value == pytest.approx(expected)
    assert found["decoy_auroc", "mean", "signed", None].value == 0.5


def test_what_is_not_there_counts_nothing_and_is_asked_again(truth, oracle):
    without = {name: array for name, array in oracle.items() if "extra" not in name}
    found = scored(truth, without)
    assert found["shifted_maps", None, None, None].value == 0
    assert ("decoy_auroc", "ism", "signed", None) not in found
    assert found["decoy_auroc", "mean", "signed", None].value == 0.5
    assert fits(truth, oracle | {"random": oracle["ism"]})
    assert not fits(truth, without | {"random": oracle["ism"]})
