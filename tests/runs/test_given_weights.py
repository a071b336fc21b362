"""``bench run --weights``: a network that is already trained is scored, and nothing is trained."""

from __future__ import annotations

import hashlib
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
from small_tasks import small_tasks

from motifidelity.entries import GIVEN
from motifidelity.registry import Registry
from motifidelity.tasks import spec as specs
from motifidelity.tasks.dataset import load_dataset

MODEL = """
    import keras
    from keras import layers

    def build_model(task, *, units=8):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 19, padding="same", activation="relu")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""
ONE = ("--task", "regulatory-code")


@pytest.fixture
def model(tmp_path):
    (tmp_path / "tiny.py").write_text(textwrap.dedent(MODEL))
    return tmp_path / "tiny.py"


@pytest.fixture
def trained(model):
    """Somebody's own network, trained elsewhere."""
    namespace = {}
    exec(compile(model.read_text(), model, "exec"), namespace)
    return namespace["build_model"](SimpleNamespace(input_shape=(200, 4), num_outputs=1))


@pytest.fixture
def weights(trained, tmp_path):
    trained.save_weights(tmp_path / "mine.weights.h5")
    return tmp_path / "mine.weights.h5"


@pytest.fixture
def bench(bench, monkeypatch, tmp_path):
    small = small_tasks(("saliency",), full=2, quick=1)
    monkeypatch.setattr(specs, "all_specs", lambda: small)
    monkeypatch.setattr("motifidelity.runs.run.record_references", lambda *_, **__: 0)
    monkeypatch.setattr("motifidelity.report.draw.draw_leaderboard", lambda *_, **__: "no page")
    return lambda *words: bench("run", *words, "--registry", tmp_path / "registry")


def test_given_weights_are_scored_as_they_are(bench, model, weights, trained, tmp_path):
    status, _, err = bench("--model", model, "--weights", weights, *ONE)
    assert status == 0, err
    registry = Registry(tmp_path / "registry")
    (row,) = registry.jobs().to_dict("records")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert row["division"] == "open"
    assert f"{GIVEN}: mine.weights.h5, sha256 {digest}" in list(row["warnings"])
    assert row["num_weights"] == trained.count_params()
    # one network has one trial, and no history
    assert registry.tables().history.empty
    # what was scored is what the network answers outside of all this
    spec = specs.all_specs()["regulatory-code@1"]
    test = load_dataset(spec).splits["test"].head(spec.profile("full").test)
    expected = trained.predict(np.eye(4, dtype=np.float32)[test.sequences], verbose=0)
    logits = registry.arrays(row["result_id"])["logits"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    # the same weights are not scored again; others are another job
    _, _, err = bench("--model", model, "--weights", weights, *ONE)
    assert "1 job finished before, skipped" in err
    trained.set_weights([values + 1 for values in trained.get_weights()])
    trained.save_weights(weights)
    assert bench("--model", model, "--weights", weights, *ONE)[0] == 0
    rows = Registry(tmp_path / "registry").jobs()
    assert rows["job_id"].nunique() == rows["model_digest"].nunique() == 2


def test_weights_of_another_network_are_a_failure_of_one_line(bench, model, weights, tmp_path):
    status, _, err = bench("--model", model, "--weights", weights, "--param", "units=9", *ONE)
    assert status == 1
    assert (
        "mine.weights.h5: layers/conv1d/vars/0 has shape (19, 4, 8), and (19, 4, 9) in the network "
        "of tiny.py; build it with the parameters that it was trained with (--param)"
    ) in err
    assert Registry(tmp_path / "registry").jobs()["status"].tolist() == ["model_error"]


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("my.keras", ONE, "--weights my.keras: a whole model, which brings its own code; give"),
        ("my.h5", ONE, "--weights my.h5: a whole model by its name"),
        ("my.npz", ONE, "--weights my.npz: no file of weights by its name"),
        ("my.pt", ONE, "weights of PyTorch, and tiny.py runs on tensorflow; add --backend torch"),
        ("none.weights.h5", ONE, "No such file or directory; give a file that is there"),
        ("folder.weights.h5", ONE, "Is a directory"),
        ("my.weights.h5", (), "a trained network is one task's; add --task motif-classes or"),
        ("my.weights.h5", (*ONE, "--trials", "3"), "--trials 3: given weights are one network"),
        ("my.weights.h5", (*ONE, "--pack", "2"), "nothing is trained; leave --pack away"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_runs(
    bench, model, tmp_path, name, words, said
):
    if name.startswith("folder"):
        (tmp_path / name).mkdir()
    elif not name.startswith("none"):
        (tmp_path / name).write_bytes(b"")
    status, _, err = bench("--model", model, "--weights", tmp_path / name, *words)
    assert status == 2
    assert said in err.splitlines()[-1]
    assert (
        not (tmp_path / "registry/jobs").exists() or not Registry(tmp_path / "registry").jobs().size
    )


def test_a_file_too_large_is_refused_unread(bench, model, tmp_path):
    path = tmp_path / "my.weights.h5"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    status, _, err = bench("--model", model, "--weights", path, *ONE)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "1024 MiB; at most 1024 are allowed" in err


def test_a_dry_run_tells_of_the_weights_what_can_be_told(bench, model, weights):
    words = ("--model", model, "--weights", weights, *ONE, "--dry-run")
    status, out, _ = bench(*words)
    assert status == 0
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f"mine.weights.h5, 0.0 MiB, sha256 {digest}; nothing is trained" in out
    assert "1 job to run" in out
    assert "tiny with mine.weights.h5 units=8 on regulatory-code@2, trial 0" in out
