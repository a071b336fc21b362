"""Trained on every backend, networks differ by no more than trials on one backend do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import sqrt
from statistics import fmean, variance

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from motifidelity.worker.contract import one_hot
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.attribution import METHODS

BACKENDS = ("tensorflow", "jax", "torch")
TRIALS = 4
# a smaller difference is none to a reader, however small the spread of four trials happens to be
SAME = 0.01
STANDARD_ERRORS = 4
EXPLAINED = 60

PROGRAM = """
import json, sys
from pathlib import Path
import keras, numpy as np
from keras import layers
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec
from motifidelity.worker.contract import TrainingData, one_hot
from motifidelity.worker.frozen.freeze import freeze
from motifidelity.worker.training.recipe import train

folder, trials, labels = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
recipe = dict(
    learning_rate=5e-3, batch_size=50, max_epochs=5, monitor="aupr", stop_patience=20,
    rate_patience=5, rate_factor=0.2, rate_floor=1e-7,
)
splits = load_dataset(find_spec("regulatory-code")).splits
data = [
    part
    for split in (splits["train"].head(4000), splits["valid"].head(500))
    for part in (one_hot(split.sequences), split.labels.astype(np.float32))
]
if labels == "shuffled":
    data[1] = np.random.default_rng(0).permutation(data[1])
for seed in range(trials):
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((200, 4))
    x = layers.Conv1D(16, 19, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("exponential")(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    train(
        model, TrainingData(*data, seed), recipe, from_logits=True, source="model.py",
        report=lambda *_, **__: None,
    )
    freeze(model, (200, 4), "model.py").write(folder, f"{seed}.")
(folder / "backend.json").write_text(json.dumps(keras.backend.backend()))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache_folder):
    """Folders of frozen networks: trained on each backend, and on labels that mean nothing."""
    wanted = {name: (name, "labelled") for name in BACKENDS}
    wanted["shuffled"] = ("tensorflow", "shuffled")
    running = {}
    for name, (backend, labels) in wanted.items():
        folder = tmp_path_factory.mktemp(name)
        command = [sys.executable, "-c", PROGRAM, str(folder), str(TRIALS), labels]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        running[name] = folder, subprocess.Popen(command, env=environment)
    for name, (folder, process) in running.items():
        assert process.wait(600) == 0
        assert json.loads((folder / "backend.json").read_text()) == wanted[name][0]
    return {name: folder for name, (folder, _) in running.items()}


@pytest.fixture(scope="module")
def scores(trained, regulatory_code):
    """Accuracy and attribution fidelity of every trial, by backend."""
    test = regulatory_code.splits["test"].head(1000)
    sequences, labels = one_hot(test.sequences), test.labels[:, 0]
    positive = np.flatnonzero(labels)[:EXPLAINED]
    found = {}
    for name, folder in trained.items():
        for seed in range(TRIALS):
            network = FrozenNetwork(folder / f"{seed}.graph.pb", folder / f"{seed}.network.json")
            logits = network.logits(sequences)[:, 0]
            maps = METHODS["gradient_corrected"](
                network, sequences[positive], {}, lambda *_, **__: None
            ).maps
            heights = np.abs(maps.reshape(len(positive), -1, 4) * sequences[positive]).sum(axis=2)
            fidelity = roc_auc_score(test.truth[positive].ravel(), heights.ravel())
            found.setdefault(("accuracy", name), []).append(roc_auc_score(labels, logits))
            found.setdefault(("fidelity", name), []).append(fidelity)
    return found


def differ(ours, theirs):
    """Whether two means differ by more than trials and chance explain (Welch's standard error)."""
    error = sqrt((variance(ours) + variance(theirs)) / TRIALS)
    return abs(fmean(ours) - fmean(theirs)) > max(SAME, STANDARD_ERRORS * error)


@pytest.mark.parametrize("score", ["accuracy", "fidelity"])
def test_backends_agree_within_their_spread(score, scores):
    ours = scores[score, "tensorflow"]
    # they have learnt: an agreement of networks that know nothing would say nothing
    assert fmean(ours) > 0.7
    for other in BACKENDS[1:]:
        assert not differ(ours, scores[score, other]), (other, ours, scores[score, other])
    assert differ(ours, scores[score, "shuffled"])
