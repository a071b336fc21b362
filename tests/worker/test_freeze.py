"""Freezing keeps a network's numbers, finds its logit and its scan, and refuses what it cannot."""

from __future__ import annotations

import dataclasses

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from motifidelity.worker.contract import CLASSES, REGRESSION, Task, check_frozen
from motifidelity.worker.frozen.freeze import Manifest, freeze, freeze_function
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


@pytest.mark.parametrize("end", ["sigmoid", "softmax"])
def test_a_regression_refuses_a_bounded_output_in_one_line(end):
    model = networks.plain()
    bounded = keras.Model(model.input, layers.Activation(end)(model.output))
    one = Task("some-values", SHAPE, networks.CLASSES, ("a", "b", "c"), REGRESSION)
    check_frozen(freeze(model, SHAPE, "model.py"), "model.py", one)
    found = freeze(bounded, SHAPE, "model.py")
    check_frozen(found, "model.py", dataclasses.replace(one, target=CLASSES))
    with pytest.raises(SubmissionError) as error:
        check_frozen(found, "model.py", one)
    assert str(error.value) == (
        f"model.py: the network ends in a {end}, and some-values asks for any number (a "
        "regression); end in a linear layer: layers.Dense(task.num_outputs)"
    )


def test_scan_is_the_output_of_the_activation_before_dropout(sequences, tmp_path):
    model = networks.plain()
    expected = networks.predicted(keras.Model(model.input, model.layers[3].output), sequences)
    before = networks.predicted(keras.Model(model.input, model.layers[2].output), sequences)
    found_before, found_after, _ = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(found_after, expected, rtol=1e-5)
    np.testing.assert_allclose(found_before, before, rtol=1e-4, atol=1e-6)


def test_scan_of_a_fused_activation_is_found_before_and_after(sequences, tmp_path):
    model = networks.fused_with_sigmoid()
    kernel, bias = model.layers[1].get_weights()
    linear = tf.nn.conv1d(sequences, kernel, 1, "SAME") + bias
    before, after, _ = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(before, linear, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after, np.maximum(linear, 0), rtol=1e-4, atol=1e-6)


def test_scan_of_a_raw_activation_in_a_subclassed_model_is_found(sequences, tmp_path):
    model = networks.subclassed()
    model(sequences)
    normed = model.norm(model.conv(sequences), training=False)
    expected = np.maximum(keras.ops.convert_to_numpy(normed), 0) ** 3
    _, after, _ = frozen(model, tmp_path).scan(sequences)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-7)


def test_batch_norm_after_the_activation_stays_out_of_the_scan(sequences, tmp_path):
    model = networks.strided_valid()
    # tanh is fused into the convolution
    expected = keras.ops.convert_to_numpy(model.layers[1](sequences))
    network = frozen(model, tmp_path)
    # width 7 without padding: the first window's centre is base 3, then every second base
    bases = network.manifest.scan.bases
    assert bases.tolist() == list(range(3, 37, 2))
    found = network.scan(sequences)[1]
    np.testing.assert_allclose(found[:, bases], expected, rtol=1e-4, atol=1e-6)
    assert np.isneginf(np.delete(found, bases, axis=1)).all()


def test_network_without_a_convolution_has_no_scan(tmp_path):
    assert frozen(networks.attention(), tmp_path).manifest.scan is None


def test_submission_can_name_its_motif_layer(sequences, tmp_path):
    model = networks.residual_tower()
    layer = [x for x in model.layers if isinstance(x, layers.Conv1D)][1]
    network = frozen(model, tmp_path, layer)
    _, after, _ = network.scan(sequences)
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
    network = frozen(model, tmp_path, layer)
    bases = network.manifest.scan.bases
    before, after = (values[:, bases] for values in network.scan(sequences)[:2])
    expected = networks.predicted(keras.Model(model.input, layer.output), sequences)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.logaddexp(before, 0), expected, rtol=1e-4, atol=1e-6)


def test_a_named_layer_with_a_dilation_is_read_before_its_own_activation(sequences, tmp_path):
    model = stacked(layers.MaxPooling1D(2), dilation_rate=2)
    network = frozen(model, tmp_path, model.get_layer("narrow"))
    bases = network.manifest.scan.bases
    assert bases.tolist() == list(range(1, 40, 2))
    before, after = (values[:, bases] for values in network.scan(sequences)[:2])
    np.testing.assert_allclose(np.logaddexp(before, 0), after, rtol=1e-4, atol=1e-6)


def test_a_named_layer_of_several_convolutions_has_no_pre_activation(sequences, tmp_path):
    x = inputs = keras.Input(SHAPE)
    x = layers.Conv1D(8, 7, padding="same")(x)
    x = layers.Add()([x, layers.Conv1D(8, 3, padding="same")(layers.ReLU()(x))])
    x = layers.ReLU(name="scan")(x)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    before, after, _ = frozen(model, tmp_path, model.get_layer("scan")).scan(sequences)
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
        (lambda: side_by_side(strides=2), 20, 1, 2),
        (lambda: side_by_side(strides=2, padding="valid"), 18, 2, 2),
        (lambda: side_by_side(padding="valid"), 36, 2, 1),
        (lambda: stacked(layers.MaxPooling1D(4)), 10, 2, 4),
        (lambda: stacked(layers.AveragePooling1D(4), strides=2), 5, 6, 8),
        (lambda: stacked(layers.MaxPooling1D(3)), 13, 1, 3),
        (lambda: stacked(layers.Cropping1D((6, 2))), 32, 6, 1),
        (lambda: stacked(layers.ZeroPadding1D((0, 3)), layers.MaxPooling1D(5)), 8, 2, 5),
        (lambda: layer_between(layers.MaxPooling1D(4, name="narrow")), 10, 2, 4),
        (lambda: layer_between(layers.MaxPooling1D(15, name="narrow")), 2, 7, 15),
        (
            lambda: layer_between(
                layers.MaxPooling1D(4),
                layers.LayerNormalization(),
                layers.SeparableConv1D(8, 3, name="narrow"),
            ),
            8,
            6,
            4,
        ),
        (
            lambda: layer_between(
                layers.MaxPooling1D(4), layers.UpSampling1D(4), layers.ReLU(name="narrow")
            ),
            10,
            2,
            4,
        ),
    ],
)
def test_positions_of_a_named_layer_lie_on_the_bases_that_it_reads(
    build, positions, first, stride, tmp_path
):
    model = build()
    scan = frozen(model, tmp_path, model.get_layer("narrow")).manifest.scan
    assert scan.bases.tolist() == list(range(first, first + positions * stride, stride))


@pytest.mark.parametrize(
    ("padding", "strides", "crops", "expected"),
    [
        ("same", 1, (0, 0), (40, 0, 1)),
        ("same", 2, (0, 0), (20, 1, 2)),
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
    positions, first, stride = expected
    assert scan.bases.tolist() == list(range(first, first + positions * stride, stride))
    found = networks.predicted(keras.Model(inputs, x), sequences)
    after = network.scan(sequences)[1][:, scan.bases]
    np.testing.assert_allclose(after, found, rtol=1e-4, atol=1e-6)


def test_windows_outside_of_the_sequence_are_dropped(sequences, tmp_path):
    model = layer_between(layers.ZeroPadding1D(9), layers.MaxPooling1D(2, name="narrow"))
    network = frozen(model, tmp_path, model.get_layer("narrow"))
    # 29 positions, of which the first four and the last four lie on the padding alone
    bases = network.manifest.scan.bases
    assert bases.tolist() == [*range(0, 39, 2), 39]
    expected = networks.predicted(
        keras.Model(model.input, model.get_layer("narrow").output), sequences
    )
    after = network.scan(sequences)[1]
    np.testing.assert_allclose(after[:, bases], expected[:, 4:25], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "more",
    [
        # reads every position before its own
        lambda: (layers.MaxPooling1D(4), layers.LSTM(8, return_sequences=True, name="narrow")),
        lambda: (
            layers.Dense(networks.LENGTH),
            layers.Permute((2, 1)),
            layers.Dense(8, name="narrow"),
        ),
    ],
    ids=["recurrent", "dense over positions"],
)
def test_a_named_layer_whose_bases_cannot_be_told_is_refused(more):
    model = layer_between(*more())
    with pytest.raises(SubmissionError, match=r"'narrow' cannot be placed.*name a convolution of"):
        freeze(model, SHAPE, "model.py", model.get_layer("narrow"))


def one_convolution(inputs, x):
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalMaxPooling1D()(x)))


def test_a_first_layer_that_cannot_be_placed_has_no_scan_and_says_why(tmp_path):
    inputs = keras.Input(SHAPE)
    x = layers.LSTM(8, return_sequences=True)(inputs)
    manifest = frozen(one_convolution(inputs, x), tmp_path).manifest
    assert manifest.scan is None
    (note,) = manifest.notes
    assert note.startswith("the first convolution cannot be placed: ")


def test_what_every_base_changes_a_little_lies_where_one_changes_it_much(tmp_path):
    inputs = keras.Input(SHAPE)
    # every position is told the mean over all of them
    content = ops.mean(inputs, axis=1, keepdims=True)
    x = layers.Concatenate()([inputs, ops.repeat(content, networks.LENGTH, axis=1)])
    x = layers.Cropping1D((5, 0))(x)
    manifest = frozen(one_convolution(inputs, x), tmp_path).manifest
    assert manifest.scan.bases.tolist() == list(range(5, 40))


def test_letters_kept_apart_are_no_filters(tmp_path):
    x = inputs = keras.Input(SHAPE)
    x = layers.Reshape((*SHAPE, 1))(x)
    x = layers.Conv2D(8, (7, 3), padding="same", activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalMaxPooling2D()(x)))
    manifest = frozen(model, tmp_path).manifest
    assert manifest.scan is None
    assert "values of shape (40, 4, 8) are no positions and filters" in manifest.notes[0]


def test_convolutions_of_a_base_beside_wider_ones_are_left_out_and_counted(tmp_path):
    inputs = keras.Input(SHAPE)
    scan = layers.Conv1D(8, 7, padding="same")(inputs)
    short_cut = layers.Conv1D(8, 1, padding="same")(inputs)
    x = layers.ReLU()(layers.Add()([scan, short_cut]))
    model = keras.Model(inputs, layers.Dense(3)(layers.GlobalMaxPooling1D()(x)))
    manifest = frozen(model, tmp_path).manifest
    assert manifest.scan.filters == 8
    assert manifest.notes == ("1 of 2 first convolutions are read, those wider than a base",)


def test_a_second_call_of_a_convolution_gives_no_new_filters(sequences, tmp_path):
    network = frozen(networks.two_branches(), tmp_path)
    assert network.manifest.scan.filters == 8
    *_, other_strand = network.scan(sequences)
    assert other_strand.shape == (len(sequences), networks.LENGTH)


@pytest.mark.only_on("tensorflow")
def test_filters_on_the_second_axis_are_read_and_differentiated_like_those_on_the_last(
    sequences, tmp_path
):
    kernel = np.random.default_rng(0).normal(size=(7, 4, 8)).astype(np.float32)

    def network(second):
        def forward(x):
            if second:
                x = tf.nn.conv1d(tf.transpose(x, (0, 2, 1)), kernel, 1, "SAME", data_format="NCW")
                x = tf.expand_dims(tf.nn.relu(x), 2)
                x = tf.nn.max_pool2d(x, (1, 4), (1, 4), "VALID", data_format="NCHW")
                return [tf.reduce_max(x, (2, 3))]
            x = tf.nn.relu(tf.nn.conv1d(x, kernel, 1, "SAME"))
            return [tf.reduce_max(tf.nn.max_pool1d(x, 4, 4, "VALID"), 1)]

        folder = tmp_path / str(second)
        folder.mkdir()
        freeze_function(forward, SHAPE, "model.py").write(folder)
        return FrozenNetwork(folder / "graph.pb", folder / "network.json")

    found, expected = network(second=True), network(second=False)
    for one, other in zip(found.scan(sequences)[:2], expected.scan(sequences)[:2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    gradients = expected.gradients(sequences)
    np.testing.assert_allclose(found.gradients(sequences), gradients, rtol=1e-4, atol=1e-5)


def test_a_manifest_of_one_stride_is_still_read(tmp_path):
    text = (
        '{"input": "x:0", "logits": "y:0", "has_sigmoid": false, "scan": {"before": "a:0", '
        '"after": "b:0", "filters": 2, "positions": 3, "first": 5, "stride": 2}}'
    )
    (tmp_path / "network.json").write_text(text)
    scan = Manifest.read(tmp_path / "network.json").scan
    assert (scan.filters, scan.bases.tolist()) == (2, [5, 7, 9])
    values, again = scan.spread([np.arange(12).reshape(2, 3, 2)], 12)
    np.testing.assert_array_equal(values[1, [5, 7, 9]], [[6, 7], [8, 9], [10, 11]])
    assert again is None


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
