"""Gradients add up along straight paths, unless something shows another gradient than its own."""

from __future__ import annotations

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from motifidelity.metrics.attribution.first_order import score_paths
from motifidelity.worker.arrays import PATH_CHANGES, PATH_INTEGRALS
from motifidelity.worker.frozen.freeze import freeze, freeze_function
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.path_integrals import write_path_integrals
from motifidelity.worker.probing.shuffles import references

LENGTH = networks.LENGTH
PATHS, STEPS = 3, 50


def letters(n, seed=3):
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (n, LENGTH))]


def read(network, folder, one_hot, report, steps=STEPS):
    write_path_integrals(network, one_hot, {"paths": PATHS, "steps": steps}, folder, report)
    return [np.load(folder / f"{name}.npy") for name in (PATH_INTEGRALS, PATH_CHANGES)]


def missed(model, folder, report, **given):
    """``gradient_completeness`` of the sum of a network's logits."""
    freeze(model, (LENGTH, 4), "model.py").write(folder)
    network = FrozenNetwork(folder / "graph.pb", folder / "network.json")
    integrals, changes = read(network, folder, letters(4), report, **given)
    assert integrals.shape == changes.shape == (4, PATHS, network.classes)
    assert integrals.dtype == changes.dtype == np.float32
    spread = network.logits(letters(50, seed=4)).sum(axis=1).std()
    (score,) = score_paths(integrals.sum(2), changes.sum(2), spread)
    return score.value


def attention_over_a_scan():
    """A transformer block that sees the order of letters, by a convolution before it."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(16, 7, padding="same", activation="relu")(x)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(networks.CLASSES)(x))


def test_a_quadratic_function_s_integral_is_exact_and_changes_are_those_of_the_logits(
    tmp_path, report
):
    weights = np.random.default_rng(0).normal(size=(LENGTH, 4)).astype(np.float32)

    def forward(x):
        inner = tf.reduce_sum(x * weights, (1, 2))
        return [tf.stack([inner, inner**2], 1)]

    freeze_function(forward, (LENGTH, 4), "model.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    one_hot = letters(5)
    integrals, changes = read(network, tmp_path, one_hot, report, steps=4)
    np.testing.assert_allclose(integrals, changes, atol=1e-3)
    others = references(one_hot[:1], "dinucleotide", PATHS, 3)[0]
    inner = (others * weights).sum((1, 2))
    here = (one_hot[0] * weights).sum()
    np.testing.assert_allclose(changes[0, :, 0], here - inner, atol=1e-4)
    np.testing.assert_allclose(changes[0, :, 1], here**2 - inner**2, atol=1e-3)


HONEST = (
    networks.plain,
    networks.residual_tower,
    networks.strided_valid,
    attention_over_a_scan,
)


@pytest.mark.parametrize("build", HONEST, ids=lambda build: build.__name__)
def test_gradients_of_honest_networks_add_up(build, tmp_path, report):
    keras.utils.set_random_seed(1)
    assert missed(build(), tmp_path, report) < 0.1


def test_a_network_that_sees_no_order_has_no_figure(tmp_path, report):
    """Without positions, attention and a mean over bases give a shuffle the sequence's logit."""
    keras.utils.set_random_seed(1)
    assert np.isnan(missed(networks.attention(), tmp_path, report))


@keras.saving.register_keras_serializable()
class Hidden(layers.Layer):
    """Its input, behind what no gradient passes."""

    def __init__(self, how, **options):
        super().__init__(**options)
        self.how = how

    def call(self, x):
        return ops.stop_gradient(x) if self.how == "stopped" else ops.round(x)


@pytest.mark.parametrize("how", ["stopped", "rounded"])
def test_a_path_beside_a_hidden_network_does_not_add_up(how, tmp_path, report):
    """The games of `decoy_cover` and `decoy_round`, small."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(Hidden(how)(inputs))
    honest = layers.Dense(networks.CLASSES)(layers.GlobalMaxPooling1D()(x))
    painted = layers.Conv1D(networks.CLASSES, 5, padding="same")(inputs)
    shown = 1e-4 * ops.sum(painted, axis=1)
    assert missed(keras.Model(inputs, honest + shown), tmp_path, report) > 0.9


def test_kinks_that_a_coarse_rule_steps_over_are_integrated_finer(tmp_path, report):
    keras.utils.set_random_seed(1)
    assert missed(networks.plain(), tmp_path, report, steps=1) < 0.2


def test_completeness_by_hand():
    (score,) = score_paths([[1.0, 2.0]], [[1.0, 4.0]])
    assert (score.value, score.n) == (pytest.approx(2 / 5), 1)
    (score,) = score_paths(np.zeros((2, 3)), np.ones((2, 3)))
    assert score.value == 1.0
    (score,) = score_paths(np.zeros((2, 3)), np.zeros((2, 3)))
    assert np.isnan(score.value)
    # a shuffle's logit that differs by rounding alone, of logits that differ by 1
    (score,) = score_paths(np.full((2, 3), 6e-6), np.full((2, 3), 1e-6), np.ones(2))
    assert np.isnan(score.value)
    (score,) = score_paths(np.full((2, 3), 6e-3), np.full((2, 3), 1e-3), np.ones(2))
    assert score.value == pytest.approx(5)
    with pytest.raises(ValueError, match="must be"):
        score_paths(np.zeros(3), np.zeros(3))
