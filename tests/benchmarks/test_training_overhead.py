"""Speed claims, as ratios of two things measured side by side in one run."""

from __future__ import annotations

import time

import keras
import numpy as np
import pytest
from side_by_side import measure_until

from motifidelity.models.cnn_deep import build_model
from motifidelity.tasks.dataset import load_dataset
from motifidelity.tasks.spec import find_spec
from motifidelity.worker.contract import Task, TrainingData, one_hot
from motifidelity.worker.training.recipe import train

EPOCHS, MOST, LIMIT = 3, 4, 1.03
RECIPE = {
    "learning_rate": 1e-3,
    "batch_size": 100,
    "max_epochs": EPOCHS,
    "monitor": "aupr",
    "stop_patience": 20,
    "rate_patience": 5,
    "rate_factor": 0.2,
    "rate_floor": 1e-7,
}


@pytest.fixture(scope="module")
def data():
    splits = load_dataset(find_spec("motif-classes")).splits
    x, v = splits["train"].head(4000), splits["valid"].head(600)
    return TrainingData(
        one_hot(x.sequences),
        x.labels.astype(np.float32),
        one_hot(v.sequences),
        v.labels.astype(np.float32),
        0,
    )


def network():
    keras.utils.set_random_seed(0)
    return build_model(Task("motif-classes", (200, 4), 12, ()), activation="exponential")


def by_hand(data):
    """The study's own way: Keras's fit, metrics and callbacks."""
    model = network()
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.AUC(curve="ROC", name="auroc", from_logits=True),
            keras.metrics.AUC(curve="PR", name="aupr", from_logits=True),
        ],
        jit_compile=False,
    )
    model.fit(
        data.x_train,
        data.y_train,
        batch_size=100,
        epochs=EPOCHS,
        validation_data=(data.x_valid, data.y_valid),
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping("val_aupr", patience=20, mode="max"),
            keras.callbacks.ReduceLROnPlateau("val_aupr", factor=0.2, patience=5, mode="max"),
        ],
    )


def by_worker(data):
    train(
        network(),
        data,
        RECIPE,
        from_logits=True,
        source="cnn_deep.py",
        report=lambda *_, **__: None,
    )


def seconds(function, data):
    """Processor seconds of all threads: the same work costs the same beside busy neighbours."""
    started = time.process_time()
    function(data)
    return time.process_time() - started


def test_training_costs_at_most_3_percent_more_than_keras_fit_by_hand(data, benchmark):
    ours, theirs = [], []

    def side_by_side():
        ours.append(seconds(by_worker, data))
        theirs.append(seconds(by_hand, data))

    side_by_side()  # warm-up: traces and allocations
    ours.clear()
    theirs.clear()
    measure_until(benchmark, side_by_side, lambda: min(ours) / min(theirs), LIMIT, MOST)
