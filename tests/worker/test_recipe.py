"""The recipe trains as Keras's own ``fit`` would, by the study's rules."""

from __future__ import annotations

import dataclasses

import keras
import networks
import numpy as np
import pytest
from sklearn.metrics import auc, log_loss, precision_recall_curve, roc_auc_score

from motifidelity.worker.contract import REGRESSION, TrainingData
from motifidelity.worker.report import SubmissionError
from motifidelity.worker.training.recipe import train, validation_scores

pytestmark = pytest.mark.backends
RECIPE = {
    "learning_rate": 1e-3,
    "batch_size": 20,
    "max_epochs": 4,
    "monitor": "aupr",
    "stop_patience": 20,
    "rate_patience": 5,
    "rate_factor": 0.2,
    "rate_floor": 1e-7,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (160, networks.LENGTH))]
    y = (x[:, :3].argmax(axis=2) > 1).astype(np.float32)
    return TrainingData(x[:120], y[:120], x[120:], y[120:], 0)


def run(model, data, report, *, from_logits=True, **changes):
    return train(
        model, data, RECIPE | changes, from_logits=from_logits, source="model.py", report=report
    )


def test_weights_equal_a_fit_written_by_hand(data, report):
    keras.utils.set_random_seed(7)
    ours = networks.plain()
    run(ours, data, report)
    keras.utils.set_random_seed(7)
    theirs = networks.plain()
    theirs.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=keras.backend.backend() == "jax",
    )
    # PyTorch draws a number for every pass over data, a prediction included
    predict = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: theirs.predict(data.x_valid, batch_size=500, verbose=0)
    )
    theirs.fit(data.x_train, data.y_train, batch_size=20, epochs=4, verbose=0, callbacks=[predict])
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_validation_scores_equal_sklearn_s_on_pooled_classes():
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 2, (50, 3)).astype(np.float32)
    logits = rng.normal(size=(50, 3)) + labels
    found = validation_scores(labels, logits, from_logits=True)
    precision, recall, _ = precision_recall_curve(labels.ravel(), logits.ravel())
    assert found["val_aupr"] == pytest.approx(auc(recall, precision))
    assert found["val_auroc"] == pytest.approx(roc_auc_score(labels.ravel(), logits.ravel()))
    probabilities = 1 / (1 + np.exp(-logits))
    assert found["val_loss"] == pytest.approx(log_loss(labels.ravel(), probabilities.ravel()))
    again = validation_scores(labels, probabilities, from_logits=False)
    assert again == pytest.approx(found)


@pytest.fixture(scope="module")
def numbers(data):
    """The same sequences with a number each."""
    given = (data.x_train, data.x_valid)
    y_train, y_valid = (3 * x[:, :5, : networks.CLASSES].sum(axis=1) - 2 for x in given)
    return dataclasses.replace(data, y_train=y_train, y_valid=y_valid, target=REGRESSION)


def test_a_regression_is_trained_by_its_squared_error(numbers, report):
    keras.utils.set_random_seed(8)
    ours = networks.plain()
    history = run(ours, numbers, report, monitor="pearson")
    keras.utils.set_random_seed(8)
    theirs = networks.plain()
    theirs.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="mean_squared_error",
        jit_compile=keras.backend.backend() == "jax",
    )
    predict = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: theirs.predict(numbers.x_valid, batch_size=500, verbose=0)
    )
    theirs.fit(
        numbers.x_train, numbers.y_train, batch_size=20, epochs=4, verbose=0, callbacks=[predict]
    )
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    output = theirs.predict(numbers.x_valid, verbose=0)
    expected = np.corrcoef(output.ravel(), numbers.y_valid.ravel())[0, 1]
    assert history[-1]["val_pearson"] == pytest.approx(expected, abs=1e-4)
    assert [values["monitor"] for event, values in report.events if event == "epoch"][-1] == (
        "pearson"
    )


def test_validation_scores_of_a_regression_are_those_of_numpy():
    rng = np.random.default_rng(7)
    labels = rng.normal(size=(50, 1)).astype(np.float32)
    output = labels + rng.normal(size=(50, 1))
    found = validation_scores(labels, output, from_logits=True, target=REGRESSION)
    assert found["val_pearson"] == pytest.approx(np.corrcoef(labels.T, output.T)[0, 1])
    assert found["val_loss"] == pytest.approx(np.square(labels - output).mean())
    same = validation_scores(labels, 0 * output + 0.3, from_logits=True, target=REGRESSION)
    assert same["val_pearson"] == 0


def test_training_stops_and_slows_by_patience_and_keeps_the_last_weights(data, report, monkeypatch):
    values = iter([0.5, 0.9, *[0.1] * 50])
    monkeypatch.setattr(
        "motifidelity.worker.training.recipe.validation_scores",
        lambda *_, **__: {"val_loss": 1.0, "val_auroc": 0.5, "val_aupr": next(values)},
    )
    model = networks.plain()
    history = run(model, data, report, max_epochs=50, stop_patience=8, rate_patience=3)
    # best in epoch 2, so 8 more; the rate falls after epochs 5 and 8 (x0.2 after 3 without gain)
    assert len(history) == 10
    rates = [row["learning_rate"] for row in history]
    np.testing.assert_allclose(rates[:5], 1e-3)
    np.testing.assert_allclose(rates[5:8], 2e-4, rtol=1e-5)
    np.testing.assert_allclose(rates[8:], 4e-5, rtol=1e-5)


def test_history_and_progress_tell_the_same_story(data, report):
    history = run(networks.plain(), data, report)
    epochs = [values for event, values in report.events if event == "epoch"]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert [e["value"] for e in epochs] == [row["val_aupr"] for row in history]
    assert all(e["of"] == 4 for e in epochs)


def test_predictions_that_are_not_finite_end_the_training(data, report):
    model = networks.plain()
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * np.nan, bias])
    with pytest.raises(SubmissionError, match=r"not finite .* after epoch 1"):
        run(model, data, report)


def test_probabilities_are_trained_as_probabilities(data, report):
    keras.utils.set_random_seed(8)
    history = run(networks.fused_with_sigmoid(), data, report, from_logits=False, max_epochs=8)
    assert history[-1]["loss"] < history[0]["loss"]
