"""Freezing keeps a network's numbers, finds its logit and its scan, and refuses what it cannot."""

from __future__ import annotations

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from motifidelity.worker.frozen.freeze import freeze, freeze_function
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.report import SubmissionError

pytestmark = pytest.mark.backends
SHAPE = (networks.LENGTH, 4)


@pytest.fixture(scope="module")
def sequences():
    rng = np.random.default_rng(0)
    return np.eye(4, dtype=np.float32)[rng.integers(0, 4, (6, networks.LENGTH))]


def frozen(model, folder, motif_layer=None):
    freeze(model, SHAPE, "model.py", motif_layer).write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


@pytest.mark.parametrize("name", networks.BUILDERS)
def test_frozen_network_gives_the_model_s_predictions_and_gradients(name, sequences, tmp_path):
    keras.utils.set_random_seed(1)
    model = networks.BUILDERS[name]()
    sigmoid = name in ("fused_with_sigmoid", "subclassed")

    def logits(output):
        return keras.ops.log(output) - keras.ops.log1p(-output) if sigmoid else output

    expected = keras.ops.convert_to_numpy(logits(model(sequences, training=False)))
    slope = networks.gradients_of(model, sequences, lambda output: logits(output)[:, 1])
    network = frozen(model, tmp_path)
    np.testing.assert_allclose(network.logits(sequences), expected, rtol=1e-4, atol=2e-6)
    scale = np.abs(slope).max()
    np.testing.assert_allclose(network.gradients(sequences)[..., 1], slope, atol=1e-5 * scale)
    assert network.manifest.has_sigmoid == sigmoid


def test_scan_is_the_output_of_the_activation_before_dropout(sequences, tmp_path):
    model = networks.plain()
    expected = networks.predicted(keras.Model(model.input, model.layers[3].output), sequences)
    before = networks.predicted(keras.Model(model.input, model.layers[2].output), sequences)
    found_before, found_after = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(found_after, expected, rtol=1e-5)
    np.testing.assert_allclose(found_before, before, rtol=1e-4, atol=1e-6)


def test_scan_of_a_fused_activation_is_found_before_and_after(sequences, tmp_path):
    model = networks.fused_with_sigmoid()
    kernel, bias = model.layers[1].get_weights()
    linear = tf.nn.conv1d(sequences, kernel, 1, "SAME") + bias
    before, after = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(before, linear, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after, np.maximum(linear, 0), rtol=1e-4, atol=1e-6)


def test_scan_of_a_raw_activation_in_a_subclassed_model_is_found(sequences, tmp_path):
    model = networks.subclassed()
    model(sequences)
    normed = model.norm(model.conv(sequences), training=False)
    expected = np.maximum(keras.ops.convert_to_numpy(normed), 0) ** 3
    _, after = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-7)


def test_batch_norm_after_the_activation_stays_out_of_the_scan(sequences, tmp_path):
    model = networks.strided_valid()
    # tanh is fused into the convolution
    expected = keras.ops.convert_to_numpy(model.layers[1](sequences))
    network = frozen(model, tmp_path)
    np.testing.assert_allclose(network.scan(sequences)[1], expected, rtol=1e-4, atol=1e-6)
    scan = network.manifest.scan
    # width 7 without padding: the first window's centre is base 3, then every second base
    assert (scan.positions, scan.first, scan.stride) == (17, 3, 2)


def test_network_without_a_convolution_has_no_scan(tmp_path):
    assert frozen(networks.attention(), tmp_path).manifest.scan is None


def test_submission_can_name_its_motif_layer(sequences, tmp_path):
    model = networks.residual_tower()
    layer = [x for x in model.layers if isinstance(x, layers.Conv1D)][1]
    network = frozen(model, tmp_path, layer)
    _, after = network.scan(sequences)
    expected = networks.predicted(keras.Model(model.input, layer.output), sequences)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-6)


def side_by_side(**narrow):
    """Two convolutions of the sequences, the wide one first."""
    inputs = keras.Input(SHAPE)
    wide = layers.Conv1D(8, 11, padding="same", activation="relu", name="wide")(inputs)
    options = {"padding": "same", "activation": "softplus"} | narrow
    narrow = layers.Conv1D(8, 5, name="narrow", **options)(inputs)
    joined = layers.Concatenate()([layers.GlobalMaxPooling1D()(x) for x in (wide, narrow)])
    return keras.Model(inputs, layers.Dense(3)(joined))


def stacked(*between, **second):
    """Two convolutions, one after the other, with what stands between them."""
    x = inputs = keras.Input(SHAPE)
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    for layer in between:
        x = layer(x)
    x = layers.Conv1D(8, 5, padding="same", name="narrow", activation="softplus", **second)(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(3)(x))


@pytest.mark.parametrize(
    "build",
    [side_by_side, stacked, lambda: stacked(layers.MaxPooling1D(4))],
    ids=["side by side", "stacked", "pooled"],
)
def test_a_named_layer_is_read_before_its_own_activation(build, sequences, tmp_path):
    model = build()
    layer = model.get_layer("narrow")
    before, after = frozen(model, tmp_path, layer).scan(sequences)
    expected = networks.predicted(keras.Model(model.input, layer.output), sequences)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.logaddexp(before, 0), expected, rtol=1e-4, atol=1e-6)


def test_a_named_layer_with_a_dilation_is_read_before_its_own_activation(sequences, tmp_path):
    model = stacked(layers.MaxPooling1D(2), dilation_rate=2)
    network = frozen(model, tmp_path, model.get_layer("narrow"))
    before, after = network.scan(sequences)
    np.testing.assert_allclose(np.logaddexp(before, 0), after, rtol=1e-4, atol=1e-6)
    assert (network.manifest.scan.first, network.manifest.scan.stride) == (0, 2)


def test_a_named_layer_of_several_convolutions_has_no_pre_activation(sequences, tmp_path):
    x = inputs = keras.Input(SHAPE)
    x = layers.Conv1D(8, 7, padding="same")(x)
    x = layers.Add()([x, layers.Conv1D(8, 3, padding="same")(layers.ReLU()(x))])
    x = layers.ReLU(name="scan")(x)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    before, after = frozen(model, tmp_path, model.get_layer("scan")).scan(sequences)
    np.testing.assert_array_equal(before, after)


def layer_between(*more):
    """A convolution, then layers of which the last is named ``narrow``."""
    x = inputs = keras.Input(SHAPE)
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    for layer in more:
        x = layer(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


@pytest.mark.parametrize(
    ("build", "positions", "first", "stride"),
    [
        (lambda: side_by_side(strides=2), 20, 0, 2),
        (lambda: side_by_side(strides=2, padding="valid"), 18, 2, 2),
        (lambda: side_by_side(padding="valid"), 36, 2, 1),
        (lambda: stacked(layers.MaxPooling1D(4)), 10, 1, 4),
        (lambda: stacked(layers.AveragePooling1D(4), strides=2), 5, 5, 8),
        (lambda: stacked(layers.MaxPooling1D(3)), 13, 1, 3),
        (lambda: stacked(layers.Cropping1D((6, 2))), 32, 6, 1),
        (lambda: stacked(layers.ZeroPadding1D((0, 3)), layers.MaxPooling1D(5)), 8, 2, 5),
        (lambda: layer_between(layers.MaxPooling1D(4, name="narrow")), 10, 1, 4),
        (lambda: layer_between(layers.MaxPooling1D(15, name="narrow")), 2, 7, 15),
        (
            lambda: layer_between(
                layers.MaxPooling1D(4),
                layers.LayerNormalization(),
                layers.SeparableConv1D(8, 3, name="narrow"),
            ),
            8,
            5,
            4,
        ),
        (
            lambda: layer_between(
                layers.MaxPooling1D(4), layers.UpSampling1D(4), layers.ReLU(name="narrow")
            ),
            40,
            0,
            1,
        ),
    ],
)
def test_positions_of_a_named_layer_lie_on_the_bases_that_it_reads(
    build, positions, first, stride, tmp_path
):
    model = build()
    scan = frozen(model, tmp_path, model.get_layer("narrow")).manifest.scan
    assert (scan.positions, scan.first, scan.stride) == (positions, first, stride)


@pytest.mark.parametrize(
    ("padding", "strides", "crops", "expected"),
    [
        ("same", 1, (0, 0), (40, 0, 1)),
        ("same", 2, (0, 0), (20, 0, 2)),
        ("valid", 1, (0, 3), (30, 5, 1)),
    ],
)
def test_several_convolutions_are_scored_together_where_they_are_joined(
    padding, strides, crops, expected, sequences, tmp_path
):
    inputs = keras.Input(SHAPE)
    parts = [
        layers.Cropping1D(crop)(
            layers.Conv1D(8, width, padding=padding, strides=strides, activation="relu")(inputs)
        )
        for width, crop in zip((11, 5), crops, strict=True)
    ]
    x = layers.Concatenate(name="scan")(parts)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    network = frozen(model, tmp_path, model.get_layer("scan"))
    scan = network.manifest.scan
    assert scan.filters == 16
    assert (scan.positions, scan.first, scan.stride) == expected
    found = networks.predicted(keras.Model(inputs, x), sequences)
    np.testing.assert_allclose(network.scan(sequences)[1], found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "more",
    [
        # an LSTM reads every position before its own
        lambda: (layers.MaxPooling1D(4), layers.LSTM(8, return_sequences=True, name="narrow")),
        # centred on what was padded
        lambda: (layers.ZeroPadding1D(9), layers.MaxPooling1D(2, name="narrow")),
    ],
    ids=["recurrent", "outside"],
)
def test_a_named_layer_whose_bases_cannot_be_told_is_refused(more):
    model = layer_between(*more())
    with pytest.raises(
        SubmissionError, match=r"'narrow' gives \d+ positions.*name a convolution of"
    ):
        freeze(model, SHAPE, "model.py", model.get_layer("narrow"))


def test_motif_layer_that_is_never_called_is_refused():
    stray = layers.Conv1D(4, 3, name="stray")
    with pytest.raises(SubmissionError, match="'stray', which the model never calls"):
        freeze(networks.plain(), SHAPE, "model.py", stray)


def test_motif_layer_without_positions_is_refused():
    model = networks.plain()
    with pytest.raises(SubmissionError, match="a filter scan is"):
        freeze(model, SHAPE, "model.py", model.layers[-1])


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        (lambda x: x + tf.random.normal(tf.shape(x)), "RandomStandardNormal"),
        (lambda x: tf.numpy_function(lambda v: v, [x], tf.float32), "PyFunc"),
        (lambda x: x + tf.strings.to_number(tf.io.read_file("/etc/hostname")), "ReadFile"),
    ],
)
def test_operation_that_reaches_outside_is_named(body, operation):
    weights = np.ones((networks.LENGTH * 4, 3), np.float32)

    def forward(x):
        x = tf.ensure_shape(body(x), (None, *SHAPE))
        return [tf.reshape(x, (-1, len(weights))) @ weights]

    with pytest.raises(SubmissionError, match=operation):
        freeze_function(forward, SHAPE, "model.py")


def test_a_graph_with_a_forbidden_operation_is_refused_on_import(tmp_path):
    freeze(networks.plain(), SHAPE, "model.py").write(tmp_path)
    graph = tf.compat.v1.GraphDef.FromString((tmp_path / "graph.pb").read_bytes())
    graph.node.add(name="steal", op="ReadFile").input.append("path")
    (tmp_path / "graph.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(SubmissionError, match="ReadFile"):
        FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")


def test_model_that_computes_in_numpy_is_refused_with_the_reason():
    class Numpy(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            numbers = x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)
            return self.dense(ops.convert_to_tensor(numbers.reshape(len(x), -1)))

    model = Numpy()
    model(np.zeros((2, *SHAPE), np.float32))
    with pytest.raises(SubmissionError, match=r"cannot be frozen|predicts otherwise"):
        freeze(model, SHAPE, "model.py")


def test_network_that_answers_by_chance_is_refused():
    class Drawn(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x, training=False):
            shift = np.random.default_rng().normal()
            return self.dense(layers.Flatten()(x)) + ops.cast(shift, "float32")

    with pytest.raises(SubmissionError, match="must not depend on the batch, the time or chance"):
        freeze(Drawn(), SHAPE, "model.py")
