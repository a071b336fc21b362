"""The study's controls: CNN-deep but for the start or the slope of its first layer."""

from __future__ import annotations

import numpy as np
import pytest

LETTERS = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, (3, 200))]


@pytest.fixture(scope="module")
def task():
    from motifidelity.worker.contract import Task

    return Task("any", (200, 4), 12, tuple(f"class {i}" for i in range(12)))


def build(task, **parameters):
    import keras

    from motifidelity.models.first_layer import build_model

    keras.utils.set_random_seed(4)
    return build_model(task, **parameters)


def first_filters(model):
    return model.layers[1].get_weights()[0]


@pytest.mark.parametrize("activation", ["exponential", "relu"])
def test_with_its_defaults_it_is_cnn_deep(activation, task):
    import keras

    from motifidelity.models import cnn_deep

    ours = build(task, activation=activation)
    keras.utils.set_random_seed(4)
    theirs = cnn_deep.build_model(task, activation=activation)
    kinds = [[type(layer).__name__ for layer in m.layers] for m in (ours, theirs)]
    assert kinds[0] == kinds[1]
    for training in (False, True):
        keras.utils.set_random_seed(5)
        mine = np.asarray(ours(LETTERS, training=training))
        keras.utils.set_random_seed(5)
        np.testing.assert_allclose(mine, theirs(LETTERS, training=training), rtol=1e-5)
    for layer, other in zip(ours.layers, theirs.layers, strict=True):
        mine, its = (getattr(x, "kernel_regularizer", None) for x in (layer, other))
        assert (mine and mine.get_config()) == (its and its.get_config())


def test_only_the_first_filters_start_otherwise(task):
    usual = build(task)
    for parameters, spread in (
        ({"stddev": 0.05}, 0.05),
        ({"stddev": 3.0}, 3.0),
        # normal, cut off at two standard deviations of the untruncated one; fan in 4 x 19
        ({"initializer": "lecun_normal"}, np.sqrt(1 / (4 * 19))),
    ):
        model = build(task, **parameters)
        assert first_filters(model).std() == pytest.approx(spread, rel=0.05)
        assert model.layers[5].get_weights()[0].std() == pytest.approx(
            usual.layers[5].get_weights()[0].std(), rel=0.05
        )


def test_the_scale_is_of_the_activation_s_input(task):
    import keras

    model = build(task, scale=0.5, batch_norm=False)
    assert not isinstance(model.layers[2], keras.layers.BatchNormalization)
    before = np.asarray(model.layers[1](LETTERS))
    after = keras.Model(model.inputs, model.layers[2].output)([LETTERS])
    np.testing.assert_allclose(after, np.exp(0.5 * before), rtol=1e-5)
