"""What maps get that know nothing of the sequence they are held against."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.metrics.attribution.uninformed import position_curve
from motifidelity.metrics.readings import READINGS
from motifidelity.scoring.floors import maps_floor
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.tasks.spec import find_spec


def test_a_position_s_curve_is_how_often_it_is_implanted():
    truth = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], np.uint8)
    assert position_curve(truth).tolist() == [0.75, 0, 0.5, 0]


@pytest.mark.parametrize(("task", "floor"), [("motif-classes", 0.630), ("regulatory-code", 0.592)])
def test_the_floor_of_the_published_tasks_is_the_position_curve(task, floor, datasets):
    # of regulatory-code over more sequences than version 2 explains: over its 200 it is .579
    truth = Truth(datasets[task], datasets[task].spec.profile("full"))
    assert maps_floor(truth) == pytest.approx(floor, abs=0.0005)
    assert find_spec(f"{task}@2").scoring.maps_floor == floor
    # by scikit-learn, sequence by sequence
    curve = truth.dataset.splits["train"].truth.mean(axis=0)
    bases = truth.bases.rows(truth.explained)
    planted = truth.test.truth[truth.explained] == 1
    kept = ~(bases.chance & ~planted) & ~bases.low_information
    areas = [
        roc_auc_score(mine[keep], curve[keep]) for mine, keep in zip(planted, kept, strict=True)
    ]
    assert maps_floor(truth) == pytest.approx(np.mean(areas), abs=1e-12)


def test_a_task_without_a_place_for_its_motifs_has_the_floor_of_noise(regulatory_code):
    train = regulatory_code.splits["train"]
    flat = dataclasses.replace(train, truth=np.ones_like(train.truth))
    dataset = dataclasses.replace(regulatory_code, splits={**regulatory_code.splits, "train": flat})
    profile = dataclasses.replace(regulatory_code.spec.profile("full"), test=200, explained=20)
    assert maps_floor(Truth(dataset, profile)) == 0.5


@pytest.fixture(scope="module")
def asked(regulatory_code):
    """The task with readings, whose maps are held against the truth of other sequences too."""
    spec = regulatory_code.spec
    spec = dataclasses.replace(
        spec,
        scoring=dataclasses.replace(spec.scoring, mismatched=True),
        attribution=dataclasses.replace(spec.attribution, readings=READINGS),
    )
    profile = dataclasses.replace(
        spec.profile("full"), test=200, explained=30, methods=("saliency", "ism", "paper_ig")
    )
    return Truth(dataclasses.replace(regulatory_code, spec=spec), profile)


def arrays_of(truth, importance):
    """A network whose maps are an importance at the letter that is there."""
    codes = truth.test.sequences[truth.explained]
    maps = (np.eye(4, dtype=np.float32)[codes] * importance[..., None])[..., None]
    return {
        "logits": np.zeros((len(truth.test.sequences), 1), np.float32),
        "explained_logits": np.zeros((len(codes), 1), np.float32),
        **dict.fromkeys(truth.methods, maps.astype(np.float32)),
    }


def mismatched(truth, arrays):
    found = score_job(truth, present_classes(truth, arrays)).scores
    return {(s.method, s.reading): s.value for s in found if s.metric == "attribution_mismatched"}


def test_maps_are_held_against_the_truth_of_the_next_sequence(asked):
    planted = asked.test.truth[asked.explained].astype(np.float32)
    found = mismatched(asked, arrays_of(asked, np.roll(planted, -1, axis=0) + 1))
    # each is the truth of the next one
    assert found["saliency", "own"] == 1
    assert found["ism", "magnitude"] == 1
    # saliency has its own reading alone, the study's maps none of these
    assert set(found) == {("saliency", "own"), *(("ism", one) for one in READINGS)}
    matched = mismatched(asked, arrays_of(asked, planted + 1))["saliency", "own"]
    assert 0.5 < matched < 0.75


def test_a_task_that_does_not_ask_has_no_such_score(asked, regulatory_code):
    plain = Truth(regulatory_code, asked.profile)
    planted = plain.test.truth[plain.explained].astype(np.float32)
    assert mismatched(plain, arrays_of(plain, planted)) == {}
