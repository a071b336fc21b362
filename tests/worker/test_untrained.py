"""A network is left as it was frozen before its training, where that is asked for and true."""

from __future__ import annotations

import json
import sys
from unittest import mock

import keras
import numpy as np
import pytest
from networks import predicted

from motifidelity.runs.intake import take_fit
from motifidelity.worker import __main__ as worker
from motifidelity.worker.arrays import UNTRAINED, UNTRAINED_SITES
from motifidelity.worker.contract import Task, build, load_submission
from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.filters import write_predictions, write_untrained_sites

pytestmark = pytest.mark.backends
LENGTH = 60
CODES = np.random.default_rng(3).integers(0, 4, (80, LENGTH)).astype(np.uint8)
MODEL = """
import keras
from keras import layers

def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(6, 9, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Flatten()(x)))
"""
RECIPE = {
    "max_epochs": 1,
    "batch_size": 40,
    "learning_rate": 0.1,
    "monitor": "auroc",
    "rate_factor": 0.2,
    "rate_patience": 3,
    "rate_floor": 1e-7,
    "stop_patience": 5,
}


@pytest.fixture
def fit(tmp_path):
    """Run a fit phase in this process, and take what it left."""
    (tmp_path / "model.py").write_text(MODEL)
    rng = np.random.default_rng(0)
    inputs = {"model": tmp_path / "model.py"}
    for split in ("train", "valid"):
        for name, top, shape in (("x", 4, (80, LENGTH)), ("y", 2, (80, 1))):
            path = inputs[f"{name}_{split}"] = tmp_path / f"{name}_{split}.npy"
            np.save(path, rng.integers(0, top, shape).astype(np.uint8))
    task = {"name": "t", "input_shape": [LENGTH, 4], "num_outputs": 1, "classes": ["y"]}
    request = {"task": task, "params": {}, "own_fit": False, "seed": 7, "recipe": RECIPE}

    def run(given=None, **settings):
        out = tmp_path / "out"
        out.mkdir()
        paths = {name: str(path) for name, path in {**inputs, **(given or {})}.items()}
        file = tmp_path / "fit.json"
        backend = keras.backend.backend()
        file.write_text(
            json.dumps(
                {**request, "backend": backend, "inputs": paths, "out": str(out), **settings}
            )
        )
        with mock.patch.object(sys, "argv", [worker.__file__, "fit", str(file)]):
            assert worker.main(sys.argv[1:]) == 0, (out / "error.json").read_text()
        return out

    return run


def fresh(folder):
    """The network that a trial of this seed begins with."""
    keras.utils.set_random_seed(7)
    module = load_submission(folder / "model.py")
    return build(module, "model.py", Task("t", (LENGTH, 4), 1, ("y",)), {})


def test_what_is_left_is_the_network_that_training_began_with(fit, tmp_path, report):
    found = take_fit(fit(**{UNTRAINED: True}))
    before, after = FrozenNetwork(*found.untrained), FrozenNetwork(found.graph, found.network)
    one_hot = np.eye(4, dtype=np.float32)[CODES]
    expected = predicted(fresh(tmp_path), one_hot)
    np.testing.assert_allclose(before.logits(one_hot), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(after.logits(one_hot) - expected).max() > 0.05
    # its sites are those that a probe of that network finds
    settings = {"window": 20, "half_max": 0.5, "top_sites": 30}
    write_untrained_sites(before, CODES, settings, tmp_path, report)
    write_predictions(before, CODES, settings, tmp_path, report)
    sites = np.load(tmp_path / f"{UNTRAINED_SITES}.npy")
    np.testing.assert_array_equal(sites, np.load(tmp_path / "top_sites.npy"))
    assert (sites >= 0).all()


def test_nobody_who_does_not_ask_for_it_gets_it(fit):
    assert take_fit(fit()).untrained is None


def test_of_a_trial_that_goes_on_nothing_is_left(fit, tmp_path):
    (tmp_path / "kept.npz").write_bytes(b"")
    left = fit({"kept": tmp_path / "kept.npz"}, **{UNTRAINED: True})
    assert take_fit(left).untrained is None


@pytest.mark.only_on("tensorflow", "jax")
def test_of_given_weights_nothing_is_left(fit, tmp_path):
    fresh(tmp_path).save_weights(tmp_path / "my.weights.h5")
    left = fit({"weights": tmp_path / "my.weights.h5"}, **{UNTRAINED: True})
    assert take_fit(left).untrained is None


@pytest.mark.only_on("jax")
def test_of_a_pack_nothing_is_left(fit):
    trials = [{"seed": seed, "params": {}} for seed in (7, 8)]
    assert not list(fit(trials=trials, **{UNTRAINED: True}).glob(f"*{UNTRAINED}*"))


def test_filters_that_are_not_finite_leave_no_sites(tmp_path, report, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    freeze(fresh(tmp_path), (LENGTH, 4), "model.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    scan = network.scan

    def broken(one_hot):
        before, after, again = scan(one_hot)
        return before, np.where(np.arange(6) == 2, np.nan, after), again

    monkeypatch.setattr(network, "scan", broken)
    write_untrained_sites(network, CODES, {"window": 20, "top_sites": 30}, tmp_path, report)
    assert not (tmp_path / f"{UNTRAINED_SITES}.npy").exists()
