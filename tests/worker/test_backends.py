"""One network on every backend: the same weights, the same predictions, gradients and maps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import networks
import numpy as np
import pytest

from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.attribution import METHODS

LENGTH, CLASSES = 200, 1
SHAPE = (LENGTH, 4)

PROGRAM = """
import importlib, json, sys
from pathlib import Path
import keras, numpy as np
import networks
from motifidelity.worker import contract
from motifidelity.worker.frozen.freeze import freeze

folder, kind = Path(sys.argv[1]), sys.argv[2]
given = np.load(folder / "weights.npz")
weights = [given[f"w{i}"] for i in range(len(given.files))]
sequences = np.load(folder / "sequences.npy")
task = contract.Task("regulatory-code", (200, 4), 1, ("y",))
if kind == "module":
    from torch_cnn_dist import network_with
    model = contract.build(network_with(weights), "copy.py", task, {})
else:
    model = importlib.import_module("motifidelity.models.cnn_dist").build_model(task)
    model.set_weights(weights)
np.save(folder / f"{kind}.predicted.npy", networks.predicted(model, sequences))
slope = networks.gradients_of(model, sequences, lambda output: output[:, 0])
np.save(folder / f"{kind}.gradients.npy", slope)
freeze(model, (200, 4), "model.py").write(folder, f"{kind}.")
"""


def letters(n, seed=0):
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (n, LENGTH))]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """CNN-dist on TensorFlow with the statistics of a trained network, and its weights on disk."""
    from motifidelity.models.cnn_dist import build_model
    from motifidelity.worker.contract import Task

    folder = tmp_path_factory.mktemp("backends")
    keras.utils.set_random_seed(3)
    model = build_model(Task("regulatory-code", SHAPE, CLASSES, ("y",)))
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, _, mean, _ = layer.get_weights()
            n = len(gamma)
            layer.set_weights(
                [rng.uniform(0.5, 1.5, n), rng.normal(size=n) / 2, mean, rng.uniform(0.5, 2, n)]
            )
    np.savez(folder / "weights.npz", **{f"w{i}": w for i, w in enumerate(model.get_weights())})
    np.save(folder / "sequences.npy", letters(6))
    freeze(model, SHAPE, "model.py").write(folder, "tensorflow.")
    return folder, model


@pytest.fixture(scope="module", params=["jax", "torch", "module"])
def copied(request, original):
    """The same network on another backend, frozen in a process of its own."""
    folder, _ = original
    backend = "torch" if request.param == "module" else request.param
    paths = [str(Path(__file__).parent), *sys.path]
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), request.param],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(paths)},
        check=True,
        timeout=300,
    )
    return request.param


def network(folder, kind):
    return FrozenNetwork(folder / f"{kind}.graph.pb", folder / f"{kind}.network.json")


def close(found, expected, share=1e-4):
    np.testing.assert_allclose(found, expected, atol=share * np.abs(expected).max())


def test_predictions_and_gradients_are_the_backend_s_own_and_tensorflow_s(original, copied):
    folder, model = original
    sequences = letters(6)
    expected = networks.predicted(model, sequences)
    slope = networks.gradients_of(model, sequences, lambda output: output[:, 0])
    close(np.load(folder / f"{copied}.predicted.npy"), expected)
    close(np.load(folder / f"{copied}.gradients.npy"), slope)
    found = network(folder, copied)
    close(found.logits(sequences), expected)
    close(found.gradients(sequences)[..., 0], slope)


def test_filter_scans_are_equal(original, copied):
    folder, _ = original
    ours, theirs = network(folder, "tensorflow"), network(folder, copied)
    for mine, other in zip(ours.scan(letters(6))[:2], theirs.scan(letters(6))[:2], strict=True):
        assert mine.shape == other.shape
        close(other, mine)
    mine, other = ours.manifest.scan, theirs.manifest.scan
    assert mine.filters == other.filters
    assert [part.bases for part in mine.parts] == [part.bases for part in other.parts]


def scores_of(files, truth, work):
    """Every score of a frozen network, by family, metric, method and class."""
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.runs.phases import probe_phase, read_probe
    from motifidelity.scoring.score import score_job
    from motifidelity.scoring.truth import present_classes

    work.mkdir()
    done = ProcessExecutor().run(probe_phase(truth, *files, work), lambda _: None)
    assert done.status == "ok", done.message
    arrays = present_classes(truth, read_probe(truth, work / "probe").arrays)
    found = score_job(truth, arrays).scores
    return {(s.metric, s.method, s.target): s.value for s in found}


# predictions, scans and maps of the others are compared above
@pytest.mark.parametrize("copied", ["module"], indirect=True)
def test_a_pytorch_module_gets_the_scores_of_the_keras_network(original, copied, tmp_path):
    from motifidelity.scoring.truth import Truth
    from motifidelity.tasks.dataset import load_dataset
    from motifidelity.tasks.spec import find_spec

    folder, _ = original
    spec = find_spec("regulatory-code")
    truth = Truth(load_dataset(spec), spec.profile("quick"))
    ours, theirs = (
        scores_of(
            (folder / f"{kind}.graph.pb", folder / f"{kind}.network.json"), truth, tmp_path / kind
        )
        for kind in ("tensorflow", copied)
    )
    assert ours.keys() == theirs.keys()
    assert len(ours) > 50
    for name, value in ours.items():
        if name[0] == "randomisation_similarity":
            continue  # weights are permuted in the order in which a backend stores them
        # ranks of values that are equal but for rounding may be exchanged
        assert theirs[name] == pytest.approx(value, rel=1e-3, abs=2e-3, nan_ok=True), name


CHEAP = {
    "smoothgrad": {"samples": 4},
    "integrated_gradients": {"references": 2, "steps": 4},
    "expected_gradients": {"references": 4},
    "deepshap": {"references": 3},
    "paper_ig": {"references": 2, "steps": 4},
    "paper_deepshap": {"references": 2},
}


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_equal(method, original, copied, report):
    folder, _ = original
    one_hot = letters(3, seed=2)
    ours, theirs = (
        METHODS[method](network(folder, kind), one_hot, CHEAP.get(method, {}), report).maps
        for kind in ("tensorflow", copied)
    )
    close(theirs, ours, 1e-3)
