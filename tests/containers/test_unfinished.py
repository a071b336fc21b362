"""A training that was killed in its container goes on in another one, with the same bits."""

from __future__ import annotations

import dataclasses
import textwrap

import pytest

from motifidelity.containers.runner import DockerExecutor
from motifidelity.model_file import read_submission
from motifidelity.runs.intake import take_fit
from motifidelity.runs.phases import fit_phase
from motifidelity.runs.plan import Job
from motifidelity.runs.unfinished import Unfinished
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.spec import Profile
from motifidelity.worker.limits import KEPT

MODEL = """
    import keras
    from keras import layers

    def build_model(task):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(6, 19, use_bias=False)(x)
        x = layers.Dropout(0.3)(layers.Activation("relu")(layers.BatchNormalization()(x)))
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""
# epochs long enough that the host sees one end before the last has
PROFILE = Profile("tiny", 1, 2000, 100, 60, 12, 4)


def test_a_killed_container_s_training_goes_on_in_the_next(
    motif_classes, engine, image, policy, tmp_path
):
    (tmp_path / "model.py").write_text(textwrap.dedent(MODEL))
    executor = DockerExecutor(engine, image, dataclasses.replace(policy, cpus=1.0))
    submission = read_submission(tmp_path / "model.py")
    job = Job(submission, {}, motif_classes.spec, PROFILE, 0, 1, executor.image)
    truth, notes = Truth(motif_classes, PROFILE), []
    killer = DockerExecutor(engine, image, dataclasses.replace(policy, cpus=1.0))

    def fit(executor, name, on_event=lambda _: None):
        (tmp_path / name).mkdir()
        phase = fit_phase(job, truth, tmp_path / name)
        done = executor.run(phase, on_event)
        assert done.status == "ok", done.message
        return take_fit(phase.out).graph.read_bytes()

    def kill(event):
        if event["event"] == "epoch" and event["epoch"] == 3:
            killer.stop()

    whole = fit(executor, "whole")
    kept = tmp_path / "unfinished"
    with pytest.raises(KeyboardInterrupt):
        fit(Unfinished(killer, job, kept, notes.append), "killed", kill)
    assert [path.name for path in (kept / job.id).iterdir()] == [KEPT]
    assert fit(Unfinished(executor, job, kept, notes.append), "again") == whole
    (note,) = notes
    assert "goes on after epoch" in note
