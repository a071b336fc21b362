"""Mutagenesis by what a substitution changes, against every mutant evaluated whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motifidelity.worker import contract
from motifidelity.worker.frozen.freeze import Manifest, freeze
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.probing.attribution import mutagenesis
from motifidelity.worker.probing.attribution.substitutions import reaches
from motifidelity.worker.probing.attribution.substitutions.changed import ChangedOnly
from motifidelity.worker.probing.attribution.substitutions.patches import NotLocal

# single precision: of the largest logit
TOLERANCE = 1e-5
PUBLISHED = sorted((Path(__file__).parents[1] / "models/published").glob("*.py"))


def sequences_of(number, length, seed=0):
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (number, length))]


def mutants_of(one_hot):
    """Mutants (n, length, 3, length, 4), one at a time."""
    n, length, _ = one_hot.shape
    found = np.repeat(one_hot[:, None], length * 3, 1).reshape(n, length, 3, length, 4)
    for sequence in range(n):
        for place in range(length):
            for step in (1, 2, 3):
                found[sequence, place, step - 1, place] = np.roll(one_hot[sequence, place], step)
    return found


def network_of(forward, length, folder):
    """A function of sequences (n, length, 4) in TensorFlow's operations as a frozen network."""
    signature = [tf.TensorSpec((None, length, 4), tf.float32, name="sequences")]
    traced = tf.function(lambda x: tf.identity(forward(x)), signature, autograph=False)
    concrete = traced.get_concrete_function()
    (folder / "graph.pb").write_bytes(concrete.graph.as_graph_def().SerializeToString())
    Manifest(concrete.inputs[0].name, concrete.outputs[0].name, False, None).write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


def hold_against_one_by_one(forward, length, folder, per_call=2400):
    """Compare all substitutions with the function on each; return how they were computed."""
    one_hot = sequences_of(2, length)
    changed = ChangedOnly(network_of(forward, length, folder), 3, per_call)
    mutants = mutants_of(one_hot)
    expected = forward(tf.constant(mutants.reshape(-1, length, 4))).numpy()
    expected = expected.reshape(2, length, 3, -1)
    np.testing.assert_allclose(
        changed(one_hot), expected, rtol=0, atol=TOLERANCE * max(1, np.abs(expected).max())
    )
    return changed


class Drawn:
    """Layers with random weights; one that does not fit a tensor leaves it as it is."""

    def __init__(self, draw):
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 99)))

    def whole(self, low, high):
        return self.draw(st.integers(low, high))

    def weights(self, *shape):
        return self.rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape).astype(np.float32)

    def convolution(self, length, filters):
        width, padding = self.whole(1, 5), self.draw(st.sampled_from(["SAME", "VALID"]))
        stride, rate = self.draw(st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]))
        kernel = self.weights(width, filters, 3)
        if padding == "VALID" and (width - 1) * rate >= length:
            return lambda x: x
        native, tall = self.draw(st.booleans()), self.draw(st.booleans())
        if tall:
            return lambda x: tf.nn.conv2d(
                x[:, :, None], kernel[:, None], [stride, 1], padding, dilations=[rate, 1]
            )[:, :, 0]
        if native:
            return lambda x: tf.nn.conv2d(
                x[:, None], kernel[None], [1, stride], padding, dilations=[1, rate]
            )[:, 0]
        return lambda x: tf.nn.convolution(x, kernel, [stride], padding, dilations=[rate])

    def depthwise(self, length, filters):
        kernel = self.weights(1, self.whole(1, 4), filters, 2)
        return lambda x: tf.nn.depthwise_conv2d(x[:, None], kernel, [1] * 4, "SAME")[:, 0]

    def pool(self, length, filters):
        padding = self.draw(st.sampled_from(["SAME", "VALID"]))
        width, stride = self.whole(1, 4), self.whole(1, 4)
        kind = self.draw(st.sampled_from([tf.nn.max_pool1d, tf.nn.avg_pool1d]))
        if padding == "VALID" and width > length:
            return lambda x: x
        return lambda x: kind(x, width, stride, padding)

    def activation(self, length, filters):
        kinds = [tf.nn.relu, tf.tanh, tf.nn.silu, lambda x: tf.exp(0.3 * x), lambda x: x**3]
        return self.draw(st.sampled_from(kinds))

    def affine(self, length, filters):
        factor, offset = self.weights(filters), self.weights(filters)
        return lambda x: tf.nn.bias_add(x * factor, offset)

    def by_position(self, length, filters):
        factor = self.weights(length, 1)
        return lambda x: x * factor

    def pad(self, length, filters):
        before, after, value = self.whole(0, 3), self.whole(0, 3), self.whole(-1, 1)
        return lambda x: tf.pad(x, [[0, 0], [before, after], [0, 0]], constant_values=value)

    def crop(self, length, filters):
        first = self.whole(0, length - 1)
        last, step = self.whole(first + 1, length), self.whole(1, 3)
        return lambda x: x[:, first:last:step]

    def mirror(self, length, filters):
        both = self.draw(st.booleans())
        return lambda x: tf.reverse(x, [1, 2] if both else [1])

    def filters_first(self, length, filters):
        bias = self.weights(filters, 1)
        return lambda x: tf.transpose(tf.transpose(x, (0, 2, 1)) + bias, (0, 2, 1))

    def normalised_filters(self, length, filters):
        return lambda x: x - tf.reduce_mean(x, 2)[:, :, None]

    def residual(self, length, filters):
        kernel = self.weights(self.whole(1, 4), filters, filters)
        return lambda x: x + tf.nn.relu(tf.nn.conv1d(x, kernel, 1, "SAME"))

    def side_by_side(self, length, filters):
        kernel = self.weights(self.whole(1, 4), filters, 2)

        def both(x):
            first, *_ = tf.split(x, filters, 2)
            return tf.concat([first, tf.nn.conv1d(x, kernel, 1, "SAME")], 2)

        return both

    def centred(self, length, filters):
        return lambda x: x - tf.reduce_mean(x, 1, keepdims=True)

    def head(self, length, filters):
        flat = self.weights(length * filters, 2)
        one = self.weights(filters, 2)
        return self.draw(
            st.sampled_from(
                [
                    lambda x: tf.reshape(x, (-1, length * filters)) @ flat,
                    lambda x: tf.reduce_mean(x, 1) @ one,
                    lambda x: tf.reduce_max(x, 1) @ one,
                    lambda x: tf.reduce_sum(x, 1) @ one - tf.reduce_min(x, 1) @ one,
                ]
            )
        )


LAYERS = [
    name for name in vars(Drawn) if name[0] != "_" and name not in ("whole", "weights", "head")
]


@st.composite
def functions(draw):
    """A function of sequences and their length."""
    drawn = Drawn(draw)
    length = extent = drawn.whole(8, 24)
    layers = []
    filters = 4
    for name in ["convolution", *draw(st.lists(st.sampled_from(LAYERS), max_size=7))]:
        layer = getattr(drawn, name)(extent, filters)
        _, extent, filters = layer(tf.zeros((1, extent, filters))).shape
        layers.append(layer)
    layers.append(drawn.head(extent, filters))

    def forward(x):
        for layer in layers:
            x = layer(x)
        return x

    return forward, length


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=functions(), per_call=st.integers(3, 90))
def test_any_chain_answers_as_every_mutant_alone(drawn, per_call, tmp_path_factory):
    forward, length = drawn
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        # long stretches too
        patch.setattr(reaches, "_MOST", 1.0)
        hold_against_one_by_one(forward, length, folder, per_call)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_architectures_answer_as_the_plain_way_does(path, tmp_path):
    task = contract.Task("regulatory-code", (200, 4), 2, ())
    keras.utils.set_random_seed(0)
    model = contract.load_submission(path).build_model(task)
    freeze(model, (200, 4), path.name).write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    keras.backend.clear_session()
    one_hot = sequences_of(1, 200)
    changed = ChangedOnly(network, 3, 600)
    expected = mutagenesis.plain(network)(one_hot)
    np.testing.assert_allclose(
        changed(one_hot), expected, rtol=0, atol=TOLERANCE * np.abs(expected).max()
    )
    assert Counter(changed.local)["Conv2D"] > 0


@pytest.mark.parametrize("builder", networks.BUILDERS.values(), ids=networks.BUILDERS)
def test_small_networks_answer_as_the_plain_way_does(builder, tmp_path, report):
    keras.utils.set_random_seed(1)
    freeze(builder(), (networks.LENGTH, 4), "small.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    one_hot = sequences_of(3, networks.LENGTH)
    maps, original = mutagenesis.mutate(network, one_hot, report)
    found = np.sort(maps + original[:, None, None], axis=2)
    whole = mutagenesis.plain(network)(one_hot)
    same = np.broadcast_to(original[:, None, None], (*whole.shape[:2], 1, whole.shape[3]))
    expected = np.sort(np.concatenate([whole, same], axis=2), axis=2)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


def test_a_statistic_of_all_positions_is_computed_whole(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)

    def forward(x):
        x = tf.nn.conv1d(x, kernel, 1, "SAME")
        x = x / tf.norm(x, axis=1, keepdims=True)
        return tf.reduce_max(tf.nn.conv1d(x, kernel[:, :3], 1, "SAME"), 1)

    changed = hold_against_one_by_one(forward, 30, tmp_path)
    assert Counter(changed.local)["Conv2D"] == 1
    assert Counter(changed.whole)["Conv2D"] == 1


def test_a_network_without_convolution_has_no_stretches(tmp_path):
    freeze(networks.attention(), (networks.LENGTH, 4), "small.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    with pytest.raises(NotLocal):
        ChangedOnly(network, 3, 600)


def test_stretches_that_answer_otherwise_are_not_used(tmp_path, report, monkeypatch):
    freeze(networks.plain(), (networks.LENGTH, 4), "small.py").write(tmp_path)
    network = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    one_hot = sequences_of(2, networks.LENGTH)
    right, _ = mutagenesis.mutate(network, one_hot, report)
    reached = reaches.Window.reached

    def short(window, patches):
        first, last = reached(window, patches)
        return first, np.maximum(last - 1, first)

    monkeypatch.setattr(reaches.Window, "reached", short)
    wrong = ChangedOnly(network, 3, 600)
    assert not mutagenesis.agrees(network, wrong, one_hot[:1])
    fresh = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    maps, _ = mutagenesis.mutate(fresh, one_hot, report)
    np.testing.assert_allclose(maps, right, atol=1e-6)
