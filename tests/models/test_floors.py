"""Floors that are networks: one learns nothing, the other learns labels that mean nothing."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

NAMES = ("untrained", "shuffled_labels")


@pytest.fixture(scope="module", params=NAMES)
def floor(request):
    return import_module(f"motifidelity.models.{request.param}")


def task(outputs):
    return SimpleNamespace(input_shape=(200, 4), num_outputs=outputs)


def data(outputs, n=60):
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        x_train=np.eye(4, dtype=np.float32)[rng.integers(0, 4, (n, 200))],
        y_train=(np.arange(n * outputs).reshape(n, outputs) % 7 == 0).astype(np.float32),
        seed=3,
    )


@pytest.mark.parametrize("outputs", [1, 12])
def test_a_floor_fits_every_task_and_is_as_large_as_a_baseline(floor, outputs):
    from motifidelity.models import cnn_deep, cnn_dist

    built = floor.build_model(task(outputs))
    baseline = (cnn_deep if outputs > 1 else cnn_dist).build_model(task(outputs))
    assert built.output_shape == (None, outputs)
    assert built.layers[1].filters == baseline.layers[1].filters
    # the study's padding of the last pooling differs between the two networks
    assert built.count_params() == pytest.approx(baseline.count_params(), rel=0.25)


def test_the_two_files_share_one_network():
    texts = [
        Path(import_module(f"motifidelity.models.{name}").__file__).read_text(encoding="utf-8")
        for name in NAMES
    ]
    networks = [text[text.index("# filters of") : text.index("def fit(")] for text in texts]
    assert networks[0] == networks[1]


def test_values_of_a_regression_are_dealt_out_anew_to_the_same_network(monkeypatch):
    floor = import_module("motifidelity.models.shuffled_values")
    labels = import_module("motifidelity.models.shuffled_labels")
    model, given = floor.build_model(task(1)), data(1)
    other = labels.build_model(task(1))
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in other.layers]
    assert [w.shape for w in model.weights] == [w.shape for w in other.weights]
    given.y_train = np.random.default_rng(1).normal(size=(60, 1)).astype(np.float32)
    seen = {}
    monkeypatch.setattr(model, "fit", lambda x, y, **options: seen.update(x=x, y=y, **options))
    floor.fit(model, given)
    assert isinstance(model.loss, keras.losses.MeanSquaredError)
    assert not np.array_equal(seen["y"], given.y_train)
    np.testing.assert_array_equal(np.sort(seen["y"], axis=0), np.sort(given.y_train, axis=0))


def test_an_untrained_network_keeps_its_weights():
    floor = import_module("motifidelity.models.untrained")
    model = floor.build_model(task(1))
    before = [weights.copy() for weights in model.get_weights()]
    floor.fit(model, data(1))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_labels_are_dealt_out_anew_and_as_often_as_before(monkeypatch):
    floor = import_module("motifidelity.models.shuffled_labels")
    model, given = floor.build_model(task(12)), data(12)
    seen = {}
    monkeypatch.setattr(model, "fit", lambda x, y, **options: seen.update(x=x, y=y, **options))
    floor.fit(model, given)
    assert seen["x"] is given.x_train
    assert not np.array_equal(seen["y"], given.y_train)
    rows = (sorted(map(tuple, labels.tolist())) for labels in (seen["y"], given.y_train))
    assert next(rows) == next(rows)
