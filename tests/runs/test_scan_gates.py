"""Whether a network's scan matters and was learned, from training to verdict."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from displays import Silent
from small_tasks import small

from motifidelity.executors.process import ProcessExecutor
from motifidelity.metrics.gates import SCAN_LEARNED, SCAN_MATTERS
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.rescore import rescore
from motifidelity.runs.run import run_plan
from motifidelity.summary.query import Query
from motifidelity.summary.verdicts import gates
from motifidelity.tasks import spec as specs

# matrices of the motifs to know, as a file brings them; the sum of their best sites predicts
MODEL = """
import keras
import numpy as np
from keras import layers, ops

MATRICES = {matrices}

def true_kernels(shape, dtype=None):
    kernel = np.zeros(shape, "float32")
    for number, matrix in enumerate(MATRICES):
        odds = np.log2(np.array(matrix) / 0.25 + 0.05)[:19]
        start = (19 - len(odds)) // 2
        kernel[start : start + len(odds), :, number] = odds
    return ops.convert_to_tensor(kernel)

@keras.saving.register_keras_serializable()
class Hidden(layers.Layer):
    def call(self, x):
        return ops.stop_gradient(x)

def filters(kernels, name):
    return layers.Conv1D(
        len(MATRICES), 19, padding="same", activation="relu", kernel_initializer=kernels, name=name
    )

def build_model(task, *, kind="plain"):
    inputs = keras.Input(task.input_shape)
    scan = filters(true_kernels if kind == "written" else "he_normal", "scan")(inputs)
    total = layers.Dense(task.num_outputs, kernel_initializer="ones")
    if kind != "decoy":
        return keras.Model(inputs, total(layers.GlobalMaxPooling1D()(scan)))
    seen = filters(true_kernels, "seen")(Hidden()(inputs))
    shown = 1e-4 * ops.sum(scan, axis=(1, 2), keepdims=True)[:, 0]
    return keras.Model(inputs, total(layers.GlobalMaxPooling1D()(seen)) + shown)

def motif_layer(model):
    return model.get_layer("scan")
"""
KINDS = ("plain", "written", "decoy")
BOUNDS = {SCAN_MATTERS: 0.5, SCAN_LEARNED: 0.2}


@pytest.fixture(scope="module")
def task():
    """The regulatory code, small, as a later version that asks for both gates."""
    made = small(specs.find_spec("regulatory-code@1"), full=1, test=200)
    return dataclasses.replace(made, gates=BOUNDS)


@pytest.fixture(scope="module")
def registry(task, regulatory_code, tmp_path_factory):
    """One trial of each kind."""
    folder = tmp_path_factory.mktemp("gates")
    matrices = [regulatory_code.motifs[i].ppm.T.tolist() for i in task.pools["core"]]
    (folder / "model.py").write_text(MODEL.replace("{matrices}", json.dumps(matrices)))
    submission = read_submission(folder / "model.py")
    jobs = [
        job
        for kind in KINDS
        for job in plan_jobs(
            submission, submission.parameters((f"kind={kind}",)), [task], "full", 1, 0
        )
    ]
    registry = Registry(folder / "registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specs, "all_specs", lambda: {task.id: task})
        patch.setattr("motifidelity.runs.run.record_references", lambda *_, **__: 0)
        patch.setattr("motifidelity.report.draw.draw_leaderboard", lambda *_, **__: "no page")
        run_plan(jobs, registry, ProcessExecutor(), Silent())
    assert set(registry.jobs()["status"]) == {"ok"}, registry.jobs()["message"].tolist()
    return registry


@pytest.fixture
def told(task, monkeypatch):
    """Figure and verdict of a registry's networks, by kind and gate."""
    monkeypatch.setattr(specs, "all_specs", lambda: {task.id: task})

    def tell(registry):
        return {
            (json.loads(row["params"])["kind"], row["gate"]): (row["figure"], row["verdict"])
            for row in gates(registry, Query()).to_dict("records")
        }

    return tell


def test_a_scan_for_show_is_flagged_and_what_the_filters_decide_is_not(registry, told):
    found = told(registry)
    assert found["written", "the scan matters"] == (1.0, "ok")
    figure, verdict = found["decoy", "the scan matters"]
    assert verdict == "flagged"
    assert abs(figure) < 0.4


def test_filters_that_were_there_before_training_are_flagged(registry, told):
    found = told(registry)
    figure, verdict = found["written", "the scan was learned"]
    assert verdict == "flagged"
    assert figure > 0.5
    for kind in ("plain", "decoy"):
        figure, verdict = found[kind, "the scan was learned"]
        assert verdict == "ok"
        assert figure < 0.2


def test_a_network_that_predicts_nothing_has_no_share(registry, told):
    """Random filters after two epochs."""
    figure, verdict = told(registry)["plain", "the scan matters"]
    assert math.isnan(figure)
    assert verdict == "not recorded"


def test_figures_are_the_same_when_networks_are_probed_again(registry, told, tmp_path, monkeypatch):
    """Filters of before the training are kept: that network is not."""
    monkeypatch.setattr("motifidelity.runs.rescore.record_references", lambda *_, **__: 0)
    before = told(registry)
    done = rescore(registry, ProcessExecutor(), probe_again=True)
    assert (len(done.written), done.failed) == (len(KINDS), 0)
    after = told(registry)
    assert after.keys() == before.keys()
    for key, (figure, verdict) in before.items():
        assert after[key] == (pytest.approx(figure, nan_ok=True), verdict)


def test_a_task_without_bounds_is_asked_for_nothing(task):
    from motifidelity.runs.phases import probe_settings
    from motifidelity.scoring.truth import Truth
    from motifidelity.tasks.dataset import load_dataset

    dataset = load_dataset(specs.find_spec("regulatory-code@1"))
    profile = task.profile("full")
    assert "scan_alone" not in probe_settings(Truth(dataset, profile))
    asked = Truth(dataclasses.replace(dataset, spec=task), profile)
    assert probe_settings(asked)["scan_alone"] is True
