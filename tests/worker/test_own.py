"""Whether a network's training is Keras's own or its class's."""

from __future__ import annotations

import types

import keras
import pytest
from keras import layers

from motifidelity.worker.training.own import keras_training, own_methods

KNOWN = keras_training()


def built(kind=keras.Model):
    x = inputs = keras.Input((8, 4))
    x = layers.GlobalMaxPooling1D()(layers.Conv1D(2, 3)(x))
    return kind(inputs, layers.Dense(1)(x))


def of_layers(kind=keras.Sequential):
    return kind([layers.Conv1D(2, 3), layers.GlobalMaxPooling1D(), layers.Dense(1)])


class Called(keras.Model):
    """What most classes of networks are: layers and a call."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def predict(self, x, **options):
        return super().predict(x, **options)


@pytest.mark.parametrize("model", [built(), of_layers(), Called()], ids=lambda m: type(m).__name__)
def test_a_model_that_leaves_its_training_to_keras_has_none_of_its_own(model):
    model.compile("sgd", "mse")
    assert own_methods(model, KNOWN) == []


@pytest.mark.parametrize("name", ["fit", "compile", "train_step", "compute_loss"])
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_a_class_that_brings_its_own_is_told_wherever_it_was_written(base, name):
    mixed = type("Mixed", (), {name: lambda *_, **__: None})
    for bases in [(mixed, base), (base,)]:
        body = {} if mixed in bases else {name: lambda *_, **__: None}
        model = (built if base is keras.Model else of_layers)(type("Own", bases, body))
        assert own_methods(model, KNOWN) == [name]


def test_a_method_put_into_one_model_or_into_keras_is_told(monkeypatch):
    model = built()
    model.train_step = types.MethodType(lambda *_: {}, model)
    assert own_methods(model, KNOWN) == ["train_step"]
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: None)
    assert own_methods(built(), KNOWN) == ["fit"]
