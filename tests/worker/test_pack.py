"""Trials that are trained together get what they would get alone."""

from __future__ import annotations

from functools import cache

import jax
import keras
import numpy as np
import pytest
from keras import layers

from motifidelity.worker.contract import TrainingData
from motifidelity.worker.training import pack
from motifidelity.worker.training.pack import PackedTrial, train_pack
from motifidelity.worker.training.recipe import train

pytestmark = pytest.mark.backends
LENGTH = 30
RECIPE = {
    "learning_rate": 1e-3,
    "batch_size": 25,
    "max_epochs": 3,
    "monitor": "aupr",
    "stop_patience": 20,
    "rate_patience": 20,
    "rate_factor": 0.2,
    "rate_floor": 1e-7,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (170, LENGTH))]
    y = (x[:, :2].argmax(axis=2) > 1).astype(np.float32)
    # 110 is no multiple of the batch: the last one is smaller
    return TrainingData(x[:110], y[:110], x[110:], y[110:], 0)


def build(seed, width=6, penalty=1e-3, limit=None):
    """With everything that has a state: batch norm, dropout and a penalty on weights."""
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((LENGTH, 4))
    # no bias before a batch norm: its gradient is rounding alone, which Adam blows up
    options = {"kernel_regularizer": keras.regularizers.L2(penalty), "kernel_constraint": limit}
    x = layers.Conv1D(width, 5, use_bias=False, **options)(x)
    x = layers.Dropout(0.2)(layers.Activation("exponential")(layers.BatchNormalization()(x)))
    x = layers.Flatten()(layers.MaxPooling1D(4)(x))
    return keras.Model(inputs, layers.Dense(2)(x))


def trial(seed, **options):
    model = build(seed, **options)
    return PackedTrial(model, True, np.random.get_state())  # noqa: NPY002


@pytest.fixture(scope="module")
def alone(data):
    """Train a network by itself, each once: the model and its history."""

    @cache
    def alone(seed, **options):
        model, told = build(seed, **options), lambda *_, **__: None
        return model, train(model, data, RECIPE, from_logits=True, source="m.py", report=told)

    return alone


def assert_same(model, history, packed):
    assert len(history) == len(packed.history)
    for mine, other in zip(history, packed.history, strict=True):
        for name in ("loss", "val_loss", "learning_rate"):
            assert other[name] == pytest.approx(mine[name], abs=2e-4), name
        for name in ("val_auroc", "val_aupr"):
            # a pair of scores that rounding exchanges
            assert other[name] == pytest.approx(mine[name], abs=5e-3), name
    for mine, other in zip(model.get_weights(), packed.model.get_weights(), strict=True):
        np.testing.assert_allclose(other, mine, atol=1e-3)


def test_trials_of_a_pack_equal_those_trained_alone(data, alone, report):
    trials = [trial(seed) for seed in (1, 2, 3)]
    train_pack(trials, data, RECIPE, "m.py", report)
    for seed, packed in zip((1, 2, 3), trials, strict=True):
        assert_same(*alone(seed), packed)


def test_each_trial_has_its_own_rate_and_end(data, report, monkeypatch):
    recipe = {**RECIPE, "max_epochs": 12, "stop_patience": 4, "rate_patience": 2}
    # the best epoch of trial n is its (n + 1)st; scores are told apart by the first output
    scores = {1: [0.5, 0.1], 2: [0.5, 0.6, 0.1], 3: [0.5, 0.6, 0.7, 0.1]}
    calls = {1: 0, 2: 0, 3: 0}
    order = iter([])

    def scripted(*_, **__):
        nonlocal order
        seed = next(order, None)
        if seed is None:
            order = iter([s for s in (1, 2, 3) if not done(s)])
            seed = next(order)
        values = scores[seed]
        value = values[min(calls[seed], len(values) - 1)]
        calls[seed] += 1
        return {"val_loss": 1.0, "val_auroc": 0.5, "val_aupr": value}

    def done(seed):
        return calls[seed] >= seed + 4

    monkeypatch.setattr(pack, "validation_scores", scripted)
    trials = [trial(seed) for seed in (1, 2, 3)]
    train_pack(trials, data, recipe, "m.py", report)
    assert [len(t.history) for t in trials] == [5, 6, 7]
    for number, packed in enumerate(trials, start=1):
        rates = [row["learning_rate"] for row in packed.history]
        lowered = number + 2
        np.testing.assert_allclose(rates[:lowered], 1e-3, rtol=1e-5)
        np.testing.assert_allclose(rates[lowered : lowered + 2], 2e-4, rtol=1e-5)


def test_networks_of_other_shapes_are_packed_apart(data, alone, report):
    trials = [trial(1), trial(2, width=7), trial(3)]
    train_pack(trials, data, RECIPE, "m.py", report)
    assert_same(*alone(2, width=7), trials[1])
    assert_same(*alone(3), trials[2])
    assert any(values.get("of") == 2 for event, values in report.events if event == "step")
    assert [trial.together for trial in trials] == [2, 1, 2]


@pytest.mark.parametrize(
    "other", [{"penalty": 0.5}, {"limit": keras.constraints.MaxNorm(0.1)}], ids=["penalty", "limit"]
)
def test_networks_whose_weights_are_held_otherwise_are_packed_apart(other, data, alone, report):
    trials = [trial(1), trial(2, **other)]
    train_pack(trials, data, RECIPE, "m.py", report)
    assert [trial.together for trial in trials] == [1, 1]
    assert_same(*alone(2, **other), trials[1])


class Applied(layers.Layer):
    """A layer of one function of its input and of whether it is trained."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x, training=False):
        return self.function(x, training)


def signature_of(function, seed=1, activation="relu"):
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Activation(activation)(layers.Conv1D(6, 5)(x))
    x = layers.Flatten()(layers.Dropout(0.2)(Applied(function)(x)))
    model = keras.Model(inputs, layers.Dense(2)(x))
    drawn = PackedTrial(model, True, np.random.get_state())  # noqa: NPY002
    return pack._signature(drawn, np.zeros((3, LENGTH, 4), np.float32))


def own_jvp(slope):
    @jax.custom_jvp
    def step(x):
        return jax.nn.relu(x)

    step.defjvp(lambda primals, tangents: (step(*primals), slope * tangents[0]))
    return lambda x, training: step(x)


def own_vjp(slope):
    @jax.custom_vjp
    def step(x):
        return jax.nn.relu(x)

    step.defvjp(lambda x: (step(x), None), lambda _, g: (slope * g,))
    return lambda x, training: step(x)


def features(seed, wrap=lambda f: f):
    table = jax.numpy.asarray(np.random.default_rng(seed).normal(size=(6, 7)), "float32")
    inner = wrap(jax.jit(lambda x: x @ table))
    return lambda x, training: inner(x)


@pytest.mark.parametrize(
    "function",
    [
        features,
        lambda seed: features(seed, lambda f: jax.jit(lambda x: f(2 * x))),
        lambda seed: features(seed, jax.checkpoint),
        lambda seed: features(seed, lambda f: lambda x: jax.lax.cond(x.sum() > 0, f, f, x)),
        lambda seed: lambda x, _: x + jax.random.normal(jax.random.key(seed), x.shape),
        own_jvp,
        own_vjp,
        lambda seed: lambda x, training: x if training else x * (seed + 1),
    ],
    ids=["jit", "jit in jit", "checkpoint", "cond", "key", "own jvp", "own vjp", "prediction"],
)
def test_networks_that_compute_other_things_are_told_apart(function):
    assert signature_of(function(1)) != signature_of(function(2))
    assert signature_of(function(1)) == signature_of(function(1), seed=2)


@pytest.mark.parametrize("activation", ["relu", "exponential", "softplus", "elu", "gelu", "silu"])
def test_seeds_of_one_network_are_packed_together(activation):
    def same(x, training):
        return x

    first, second = (signature_of(same, seed, activation) for seed in (1, 2))
    assert first == second


@pytest.mark.parametrize(
    "error",
    [
        jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating"),
        MemoryError("Unable to allocate 3.2 GiB for an array"),
    ],
    ids=["device", "machine"],
)
def test_a_pack_that_does_not_fit_is_halved(error, data, alone, report, monkeypatch):
    sizes = []
    original = pack._Pack.train

    def train_small(self):
        sizes.append(len(self._trials))
        if len(self._trials) > 2:
            raise error
        original(self)

    monkeypatch.setattr(pack._Pack, "train", train_small)
    trials = [trial(seed) for seed in (1, 2, 3)]
    train_pack(trials, data, RECIPE, "m.py", report)
    assert sizes == [3, 2, 1]
    assert [trial.together for trial in trials] == [2, 2, 1]
    for seed, packed in zip((1, 2, 3), trials, strict=True):
        assert_same(*alone(seed), packed)


def test_one_trial_that_does_not_fit_is_out_of_memory(data, report, monkeypatch):
    def never(self):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating")

    monkeypatch.setattr(pack._Pack, "train", never)
    with pytest.raises(MemoryError, match="one trial alone"):
        train_pack([trial(1), trial(2)], data, RECIPE, "m.py", report)


def test_a_trial_that_overflows_leaves_the_others_alone(data, alone, report):
    trials = [trial(1), trial(2)]
    kernel, bias = trials[0].model.layers[-1].get_weights()
    trials[0].model.layers[-1].set_weights([kernel * np.nan, bias])
    train_pack(trials, data, RECIPE, "m.py", report)
    assert "not finite" in trials[0].problem
    assert_same(*alone(2), trials[1])
