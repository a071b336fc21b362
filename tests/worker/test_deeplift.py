"""DeepLIFT on the op graph: complete for every network, equal to closed forms and to shap."""

from __future__ import annotations

import importlib

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from motifidelity.worker.contract import Task
from motifidelity.worker.frozen.freeze import freeze, freeze_function
from motifidelity.worker.frozen.network import FrozenNetwork
from motifidelity.worker.frozen.ops import ALLOWED
from motifidelity.worker.probing.attribution import METHODS, NotSupported, write_maps
from motifidelity.worker.probing.attribution.multipliers.rules import RULES
from motifidelity.worker.probing.attribution.multipliers.walk import DeepLift

LENGTH, CLASSES = networks.LENGTH, networks.CLASSES
BASELINES = ("cnn_2", "cnn_50", "cnn_deep", "cnn_local", "cnn_dist")
TOLERANCE = 1e-4


def network_of(model, folder, length=LENGTH):
    folder.mkdir(exist_ok=True)
    freeze(model, (length, 4), "model.py").write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


def letters(n, length=LENGTH, seed=3):
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (n, length))]


def against(network, one_hot, others):
    """SHAP values and gaps of sequences, all against the same references (k, length, 4)."""
    found = DeepLift(network)(one_hot, np.tile(others[None], (len(one_hot), 1, 1, 1)))
    return found.at_input, found.gap


def assert_complete(result, network, one_hot, mean_at_references):
    gap = network.logits(one_hot).astype(np.float64) - mean_at_references
    error = result.maps.sum(axis=(1, 2), dtype=np.float64) - gap
    assert (np.abs(result.completeness) <= TOLERANCE * np.abs(gap)).all()
    # the stored error is against double-precision logits where single precision is too coarse
    rounding = 1e-6 * np.abs(network.logits(one_hot)).max()
    assert (np.abs(error) <= TOLERANCE * np.abs(gap) + rounding).all()


def settle(model, seed=0, logits=1.0):
    """Batch norms as after training, and a last layer that gives large or small logits."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            n = layer.get_weights()[0].size
            gamma, variance = rng.uniform(0.5, 1.5, n), rng.uniform(0.5, 2.0, n)
            layer.set_weights([gamma, rng.normal(size=n), rng.normal(size=n), variance])
    *_, last = model.layers
    if hasattr(last, "kernel"):
        last.kernel.assign(last.kernel * logits)


def unrolled(cell):
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, activation="relu")(x)
    x = layers.MaxPooling1D(8)(x)
    x = cell(5, unroll=True)(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def every_pooling():
    """Overlapping windows, average and transposed convolutions, and odd activations."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, activation="leaky_relu")(x)
    x = layers.MaxPooling1D(4, 2, padding="same")(x)
    x = layers.AveragePooling1D(3, 2)(x)
    x = layers.SeparableConv1D(8, 3)(x)
    x = layers.PReLU()(layers.ZeroPadding1D(2)(layers.UpSampling1D(2)(x)))
    x = layers.UnitNormalization()(layers.Softmax()(layers.Conv1DTranspose(4, 3)(x)))
    for name in ("hard_sigmoid", "mish", "selu", "hard_silu", "softsign", "relu6", "celu"):
        x = layers.Activation(name)(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(layers.Flatten()(x)))


pytestmark = pytest.mark.backends
ARCHITECTURES = {
    **networks.BUILDERS,
    "lstm": lambda: unrolled(layers.LSTM),
    "gru": lambda: unrolled(layers.GRU),
    "every_pooling": every_pooling,
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_maps_of_every_architecture_are_complete(name, tmp_path, report):
    keras.utils.set_random_seed(1)
    model = ARCHITECTURES[name]()
    model(letters(1))
    settle(model)
    network = network_of(model, tmp_path)
    one_hot = letters(6)
    result = METHODS["deeplift"](network, one_hot, {}, report)
    uniform = network.logits(np.full((1, LENGTH, 4), 0.25, np.float32))
    assert_complete(result, network, one_hot, uniform)
    assert result.maps.shape == (6, LENGTH, 4, CLASSES)
    assert (result.maps[one_hot == 0] == 0).all()


# one of them shows how the other backends' activations are lowered, `ARCHITECTURES` all else
ON_TENSORFLOW = pytest.mark.only_on("tensorflow")


@pytest.mark.parametrize(
    "name", [n if n == "cnn_2" else pytest.param(n, marks=ON_TENSORFLOW) for n in BASELINES]
)
def test_maps_of_every_baseline_and_activation_are_complete(name, tmp_path, report):
    """All 18 first-layer activations of a baseline in one network, one class each.

    The layers after the activation run once, on a batch of 18 times the sequences, which the
    rules need not know.
    """
    module = importlib.import_module(f"motifidelity.models.{name}")
    keras.utils.set_random_seed(2)
    model = module.build_model(Task("motif-classes", (200, 4), 1, ()))
    settle(model)
    convolution, norm, _, *later = model.layers[1:]
    scan = norm(convolution(model.input))
    x = keras.ops.concatenate([f(scan) for f in module.ACTIVATIONS.values()], axis=0)
    for layer in later:
        x = layer(x)
    logits = keras.ops.transpose(keras.ops.reshape(x, (len(module.ACTIVATIONS), -1)))
    network = network_of(keras.Model(model.input, logits), tmp_path, 200)
    one_hot = letters(4, 200)
    result = METHODS["deepshap"](network, one_hot, {"references": 3}, report)
    gap = result.maps.sum(axis=(1, 2), dtype=np.float64) - result.completeness
    share = np.abs(result.completeness) / np.abs(gap)
    assert dict(zip(module.ACTIVATIONS, share.max(axis=0), strict=True)) == pytest.approx(
        dict.fromkeys(module.ACTIVATIONS, 0.0), abs=TOLERANCE
    )


def test_exponential_with_large_logits_is_complete(tmp_path, report):
    keras.utils.set_random_seed(1)
    model = networks.plain()
    model.layers[2].set_weights(np.array([[2.0], [40.0], [0.0], [1.0]]) * np.ones(8))
    network = network_of(model, tmp_path)
    one_hot = letters(6)
    assert np.abs(network.logits(one_hot)).max() > 1e15
    result = METHODS["deepshap"](network, one_hot, {}, report)
    gap = result.maps.sum(axis=(1, 2), dtype=np.float64) - result.completeness
    assert (np.abs(result.completeness) <= TOLERANCE * np.abs(gap)).all()


def values_of_shap(model, one_hot, others):
    """From a copy of the model in double precision: in single, shap's own rounding is 2e-4."""
    shap = pytest.importorskip("shap")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        copy = keras.models.clone_model(
            model,
            clone_function=lambda layer: type(layer).from_config(
                {**layer.get_config(), "dtype": "float64"}
            ),
        )
        copy.set_weights(model.get_weights())
        explainer = shap.DeepExplainer(copy, others.astype(np.float64))
        return explainer.shap_values(one_hot.astype(np.float64), check_additivity=False)
    finally:
        keras.config.set_floatx(before)


# shap explains TensorFlow's own models
@pytest.mark.only_on("tensorflow")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("activation", "trained"),
    [
        *((name, False) for name in ("relu", "exponential", "sigmoid", "tanh", "softplus")),
        *((name, False) for name in ("elu", "linear")),
        *((name, True) for name in ("relu", "exponential", "sigmoid")),
    ],
)
def test_values_equal_those_of_shap(activation, trained, tmp_path):
    keras.utils.set_random_seed(5)
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", use_bias=False)(x)
    x = layers.Activation(activation)(layers.BatchNormalization()(x))
    x = layers.MaxPooling1D(4)(x)
    x = layers.Conv1D(8, 3, activation="relu")(x)
    x = layers.Dense(12, activation="relu")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(CLASSES)(x))
    if trained:
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
        labels = np.random.default_rng(1).integers(0, 2, (256, CLASSES))
        model.fit(letters(256), labels, batch_size=16, epochs=2, verbose=0)
    else:
        settle(model, logits=1e3 if activation == "exponential" else 1.0)
    one_hot, others = letters(4), letters(5, seed=9)
    expected = values_of_shap(model, one_hot, others)
    got, _ = against(network_of(model, tmp_path), one_hot, others)
    assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()


def test_multipliers_of_a_linear_network_are_its_weights(tmp_path):
    inputs = keras.Input((LENGTH, 4))
    model = keras.Model(inputs, layers.Dense(CLASSES)(layers.Flatten()(inputs)))
    weights = model.layers[-1].get_weights()[0].reshape(LENGTH, 4, CLASSES)
    one_hot, others = letters(5), letters(3, seed=4)
    got, _ = against(network_of(model, tmp_path), one_hot, others)
    change = one_hot[:, None] - others[None]
    np.testing.assert_allclose(got, weights * change.mean(axis=1)[..., None], atol=1e-6)
    found = DeepLift(network_of(model, tmp_path))(one_hot, np.tile(others, (5, 1, 1, 1)))
    expected = weights - np.einsum("klb,lbc->lc", others, weights)[:, None] / 3
    np.testing.assert_allclose(found.hypothetical, np.tile(expected, (5, 1, 1, 1)), atol=1e-6)


# functions of one tensor (batch, position, 6): position by position, so that a position's
# contribution to their weighted sum must be what the function itself changes there
ELEMENT_WISE = {
    "abs": tf.abs,
    "asinh": tf.asinh,
    "atan": tf.atan,
    "cos": tf.cos,
    "cosh": tf.cosh,
    "ceil": tf.math.ceil,
    "clip": lambda h: tf.raw_ops.ClipByValue(t=h, clip_value_min=-0.3, clip_value_max=0.6),
    "cube": lambda h: h**3,
    "elu": tf.nn.elu,
    "erf": tf.math.erf,
    "erfc": tf.math.erfc,
    "exp": tf.exp,
    "expm1": tf.math.expm1,
    "finite": lambda h: tf.where(tf.math.is_finite(h), h, 0.0),
    "floor": tf.floor,
    "gelu": tf.nn.gelu,
    "gelu_tanh": lambda h: tf.nn.gelu(h, approximate=True),
    "hard_shrink": lambda h: tf.where(tf.abs(h) > 0.4, h, tf.zeros_like(h)),
    "inside": lambda h: tf.cast((h > -0.5) & ~((h > 0.5) | (h < -2.0)), tf.float32),
    "leaky": lambda h: tf.nn.leaky_relu(h, 0.3),
    "lgamma": lambda h: tf.math.lgamma(tf.abs(h) + 0.5),
    "log": lambda h: tf.math.log(tf.abs(h) + 1e-3),
    "log1p": lambda h: tf.math.log1p(h * h),
    "logsumexp": lambda h: tf.reduce_logsumexp(h, -1, keepdims=True) + 0 * h,
    "maximum": lambda h: tf.maximum(h, -h + 0.2),
    "minimum": lambda h: tf.minimum(tf.minimum(h, 0.3), h[..., ::-1]),
    "norm": lambda h: (
        (h - tf.reduce_mean(h, -1, keepdims=True))
        * tf.math.rsqrt(tf.math.reduce_variance(h, -1, keepdims=True) + 1e-3)
    ),
    "pow": lambda h: tf.pow(tf.abs(h) + 0.1, tf.reverse(h, [-1])),
    "power": lambda h: tf.pow(2.0, h),
    "quotient": lambda h: h / (1.5 + tf.reverse(h, [-1]) ** 2),
    "reciprocal": lambda h: tf.math.reciprocal(1.0 + h * h),
    "relu6": lambda h: tf.nn.relu6(4 * h),
    "rsqrt": lambda h: tf.math.rsqrt(h * h + 0.1),
    "safe_quotient": lambda h: tf.math.divide_no_nan(h, tf.nn.relu(tf.reverse(h, [-1])) + 0.2),
    "selu": tf.nn.selu,
    "sigmoid": tf.sigmoid,
    "sign": tf.sign,
    "silu": tf.nn.silu,
    "sine": tf.sin,
    "sinh": tf.sinh,
    "softmax": lambda h: tf.nn.softmax(5 * h),
    "log_softmax": tf.nn.log_softmax,
    "softmax_by_hand": lambda h: (
        tf.exp(h - tf.stop_gradient(tf.reduce_max(h, -1, keepdims=True)))
        / tf.reduce_sum(tf.exp(h - tf.reduce_max(h, -1, keepdims=True)), -1, keepdims=True)
    ),
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "sqrt": lambda h: tf.sqrt(tf.nn.relu(h)),
    "square": tf.square,
    "squared_difference": lambda h: tf.math.squared_difference(h, tf.reverse(h, [-1])),
    "tanh": tf.tanh,
    "where_less": lambda h: tf.where(h <= 0.1, tf.exp(h), 1.0 + h**2),
    "xlogy": lambda h: tf.math.xlogy(tf.nn.relu(h), tf.abs(tf.reverse(h, [-1])) + 0.1),
    # over the letters of one position
    "max": lambda h: tf.reduce_max(h, -1, keepdims=True) + 0 * h,
    "min": lambda h: tf.reduce_min(h, -1, keepdims=True) + 0 * h,
    "products": lambda h: tf.reshape(tf.einsum("bpi,bpj->bpij", h, h), (-1, LENGTH, 36))[..., :6],
    "matrix": lambda h: tf.linalg.matmul(h[..., None], h[..., None, :])[..., 0],
    "gather": lambda h: tf.gather(h, [3, 3, 1, 0, 5, 4], axis=-1) * tf.cumsum(h, axis=-1),
}


def dense_scan(sequences):
    """Six numbers a position, with a shift of each position's own."""
    rng = np.random.default_rng(4)
    kernel = rng.normal(size=(4, 6)).astype(np.float32) / 2
    shift = rng.normal(size=(LENGTH, 6)).astype(np.float32)
    return tf.tensordot(sequences, kernel, 1) + shift


def network_of_function(forward, folder):
    freeze_function(lambda x: [forward(x)], (LENGTH, 4), "model.py").write(folder)
    return FrozenNetwork(folder / "graph.pb", folder / "network.json")


def test_each_function_of_one_position_gives_the_change_at_that_position(tmp_path, report):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(LENGTH, 6)).astype(np.float32)

    def sums(sequences):
        h = dense_scan(sequences)
        return tf.stack([tf.reduce_sum(f(h) * weights, (1, 2)) for f in ELEMENT_WISE.values()], 1)

    network = network_of_function(sums, tmp_path)
    one_hot = letters(8)
    # one position is the reference's own, so that differences of exactly zero occur
    others = np.full_like(one_hot, 0.25)
    others[:, 7] = one_hot[:, 7]
    h, h0 = (dense_scan(values).numpy() for values in (one_hot, others))
    found = DeepLift(network)(one_hot, others[:, None])
    got = found.at_input.sum(axis=2)
    for number, (name, function) in enumerate(ELEMENT_WISE.items()):
        change = (weights * (np.asarray(function(h)) - np.asarray(function(h0)))).sum(axis=2)
        scale = np.abs(change).max()
        np.testing.assert_allclose(got[..., number], change, atol=1e-5 * scale, err_msg=name)


KERNEL_2D = np.random.default_rng(8).normal(size=(3, 1, 6, 6)).astype(np.float32)

# functions of (batch, position, 6) that move, mix or look at several positions
STRUCTURAL = {
    "average_pool": lambda h: tf.nn.avg_pool1d(h, 5, 2, "SAME"),
    "band": lambda h: tf.linalg.band_part(h, 2, 1),
    "broadcast": lambda h: tf.broadcast_to(h[:, :1], tf.shape(h)),
    "concat": lambda h: tf.concat([h, h[:, :3] * 2, tf.ones_like(h[:, :1])], axis=1),
    "convolution_2d": lambda h: tf.nn.conv2d(h[:, :, None], KERNEL_2D, [1, 3, 1, 1], "VALID"),
    "cumulative": lambda h: tf.cumsum(h, axis=1, reverse=True),
    "depthwise": lambda h: tf.nn.depthwise_conv2d(h[:, None], KERNEL_2D[:1], [1, 1, 1, 1], "SAME"),
    "diagonal": tf.linalg.diag,
    "dilated": lambda h: tf.nn.convolution(h, KERNEL_2D[:, 0], padding="SAME", dilations=3),
    "einsum": lambda h: tf.einsum("bpi,bqi->bpq", h, tf.tanh(h)),
    "gather": lambda h: tf.gather(h, [0, 5, 5, 39], axis=1),
    "gather_nd": lambda h: tf.gather_nd(tf.transpose(h, (1, 2, 0)), [[1, 2], [3, 3]]),
    "global_maximum": lambda h: tf.reduce_max(h, axis=1),
    "global_minimum": lambda h: tf.reduce_min(h, axis=(1, 2)),
    "max_pool": lambda h: tf.nn.max_pool1d(h, 7, 2, "SAME"),
    "mean": lambda h: tf.reduce_mean(h, axis=1),
    "mirror": lambda h: tf.pad(h, [[0, 0], [3, 2], [0, 0]], "REFLECT"),
    "pad": lambda h: tf.pad(h, [[0, 0], [3, 2], [0, 0]], constant_values=1.0),
    "resize": lambda h: tf.image.resize(h[:, :, None], (55, 1)),
    "roll": lambda h: tf.roll(h, 3, axis=1),
    "scatter": lambda h: tf.tensor_scatter_nd_add(
        tf.transpose(h, (1, 0, 2)), [[4], [7]], tf.transpose(h[:, :2], (1, 0, 2))
    ),
    "segments": lambda h: tf.math.unsorted_segment_sum(tf.transpose(h, (2, 0, 1)), [0, 1] * 3, 2),
    "slices": lambda h: h[:, 1:-3:2, ::-1],
    "space": lambda h: tf.nn.space_to_depth(tf.reshape(h, (-1, 20, 2, 6)), 2),
    "split": lambda h: tf.split(h, 3, axis=-1)[1] * tf.unstack(h, axis=-1)[0][..., None],
    "tile": lambda h: tf.tile(h, [1, 2, 1]),
    "transposed": lambda h: tf.nn.conv1d_transpose(
        h, KERNEL_2D[:, 0], (tf.shape(h)[0], 42, 6), 1, "VALID"
    ),
}


def test_each_function_of_many_positions_is_complete(tmp_path):
    kernel = np.random.default_rng(5).normal(size=(5, 1, 6, 6)).astype(np.float32) / 5
    norm = [np.random.default_rng(i).uniform(0.5, 1.5, 6).astype(np.float32) for i in range(4)]

    def sums(sequences):
        h = dense_scan(sequences)
        planes = tf.nn.conv2d(h[:, :, None], kernel, 1, "VALID")
        fused, _, _ = tf.compat.v1.nn.fused_batch_norm(planes, *norm, is_training=False)
        values = [tf.tanh(f(h)) for f in STRUCTURAL.values()]
        # the first sequence's axis may have moved: count by batch
        batch = tf.shape(h)[0]
        return tf.stack([_per_sequence(v, batch) for v in (*values, tf.tanh(fused))], axis=1)

    network = network_of_function(sums, tmp_path)
    one_hot = letters(7)
    found = DeepLift(network)(one_hot, letters(7, seed=9)[:, None])
    error = np.abs(found.at_input.sum(axis=(1, 2)) - found.gap).max(axis=0)
    share = error / np.abs(found.gap).max(axis=0)
    names = [*STRUCTURAL, "fused_batch_norm"]
    assert dict(zip(names, share, strict=True)) == pytest.approx(
        dict.fromkeys(names, 0.0), abs=1e-5
    )


def _per_sequence(values, batch):
    """Weighted sum per sequence, wherever the axis of the sequences is."""
    axis = next(i for i, size in enumerate(values.shape) if size is None)
    order = [axis, *(i for i in range(len(values.shape)) if i != axis)]
    flat = tf.reshape(tf.transpose(values, order), (batch, -1))
    weights = tf.cos(tf.range(tf.cast(tf.shape(flat)[1], tf.float32)))
    return tf.reduce_sum(flat * weights, axis=1)


def test_a_difference_of_zero_gets_the_derivative(tmp_path):
    inputs = keras.Input((LENGTH, 4))
    h = keras.ops.tanh(2 * inputs) ** 3 + keras.ops.exp(inputs)
    network = network_of(keras.Model(inputs, keras.ops.sum(h, axis=(1, 2))[:, None]), tmp_path)
    one_hot = letters(3)
    found = DeepLift(network)(one_hot, one_hot[:, None])
    slope = network.gradients(one_hot)
    expected = slope - (slope * one_hot[..., None]).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(found.hypothetical, expected, atol=1e-5)


def test_overlapping_max_pool_by_hand(tmp_path):
    """Windows of 3 over 4 values, with stride 1.

    Sequence 5 1 2 4 and reference 1 3 0 6: the first window rises from 3 to 5, which the 5 did
    (by 4, so 1/2 of its change); the second falls from 6 to 4, which the reference's 6 did
    (by -2, so all of its change).
    """
    inputs = keras.Input((4, 4))
    x = layers.MaxPooling1D(3, 1)(inputs[:, :, :1])
    logit = keras.ops.sum(x * np.array([[1.0], [10.0]], np.float32), axis=(1, 2))[:, None]
    network = network_of(keras.Model(inputs, logit), tmp_path, 4)
    values, others = np.zeros((2, 1, 4, 4), np.float32)
    values[0, :, 0], others[0, :, 0] = (5, 1, 2, 4), (1, 3, 0, 6)
    found = DeepLift(network)(values, others[:, None])
    np.testing.assert_allclose(found.at_input[0, :, 0, 0], [2, 0, 0, -20])
    np.testing.assert_allclose(found.gap, [[2 - 20]])


def test_product_of_two_activations_is_shared_by_their_means(tmp_path):
    inputs = keras.Input((2, 4))
    logit = (inputs[:, 0, 0] * inputs[:, 1, 0])[:, None]
    network = network_of(keras.Model(inputs, logit), tmp_path, 2)
    values, others = np.zeros((2, 1, 2, 4), np.float32)
    values[0, :, 0], others[0, :, 0] = (3, 5), (1, 2)
    found = DeepLift(network)(values, others[:, None])
    # 3 * 5 - 1 * 2 = (3 - 1) * 3.5 + (5 - 2) * 2
    np.testing.assert_allclose(found.at_input[0, :, 0, 0], [7, 6])


def test_softmax_is_shared_by_logarithmic_means(tmp_path):
    inputs = keras.Input((1, 4))
    network = network_of(keras.Model(inputs, keras.ops.softmax(inputs[:, 0])), tmp_path, 1)
    values = np.array([[[1.0, 2.0, -1.0, 0.0]]], np.float32)
    others = np.array([[[0.5, -1.0, 1.0, 0.0]]], np.float32)
    found = DeepLift(network)(values, others[:, None])
    p, p0 = (np.exp(z[0, 0]) / np.exp(z[0, 0]).sum() for z in (values, others))
    mean = (p - p0) / (np.log(p) - np.log(p0))
    change = values[0, 0] - others[0, 0]
    expected = np.diag(mean * change) - np.outer(mean * change, mean) / mean.sum()
    np.testing.assert_allclose(found.at_input[0, 0], expected, atol=1e-6)


def _sorted(x):
    return tf.math.top_k(x, 3).values


def _pooled(x):
    """Whose own derivative is wrong where two values are equal."""
    return tf.nn.max_pool3d(x[:, :, None, None], (2, 1, 1), (2, 1, 1), "VALID")


def _looked(x):
    return tf.gather(tf.constant(np.eye(4, dtype=np.float32)), tf.argmax(x, -1))


def summed(function):
    return lambda x: tf.reduce_sum(tf.reshape(function(x), (tf.shape(x)[0], -1)), 1)[:, None]


@pytest.mark.parametrize(
    ("function", "op"), [(_sorted, "TopK"), (_looked, "ArgMax"), (_pooled, "MaxPool3D")]
)
def test_ops_without_an_exact_rule_are_refused(function, op, tmp_path, report):
    network = network_of_function(summed(function), tmp_path)
    with pytest.raises(NotSupported, match=op):
        METHODS["deeplift"](network, letters(2), {}, report)


def test_an_op_without_a_rule_is_named_and_other_methods_go_on(tmp_path, report):
    network = network_of_function(summed(_sorted), tmp_path)
    with pytest.raises(NotSupported, match="TopK"):
        METHODS["deepshap"](network, letters(2), {}, report)
    write_maps(network, letters(2), ["deepshap", "saliency"], tmp_path, report)
    assert not (tmp_path / "deepshap.npy").exists()
    assert (tmp_path / "saliency.npy").exists()
    assert "TopK" in (tmp_path / "unsupported.json").read_text(encoding="utf-8")


def test_without_a_rule_an_op_s_own_gradient_is_taken_and_all_else_is_as_it_was(tmp_path, report):
    """Half of the sequence through a ramp, half through a product, whose op has no rule."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(20, 4)).astype(np.float32)
    letter = np.array([0.1, -0.2, 0.3, -0.1], np.float32)

    def forward(x):
        ramp = tf.nn.relu(tf.reduce_sum(x[:, :20] * weights, (1, 2)))
        product = tf.math.cumprod(1 + tf.linalg.matvec(x[:, 20:], letter), axis=1)[:, -1]
        return tf.stack([ramp + product, ramp - 2 * product], 1)

    network = network_of_function(forward, tmp_path)
    one_hot, others = letters(6), letters(6, seed=4)
    explain = DeepLift(network, gradient=True)
    assert explain.by_gradient == ("op Cumprod",)
    found = explain(one_hot, others[:, None]).at_input
    change = (one_hot - others).astype(np.float64)
    inner, inner0 = ((x[:, :20] * weights).sum((1, 2)) for x in (one_hot, others))
    slope = (np.maximum(inner, 0) - np.maximum(inner0, 0)) / (inner - inner0)
    assert ((slope > 0) & (slope < 1)).any()
    of_ramp = slope[:, None, None] * weights * change[:, :20]
    factors = 1 + one_hot[:, 20:] @ letter
    gradient = (factors.prod(1, keepdims=True) / factors)[..., None] * letter
    of_product = gradient * change[:, 20:]
    for index, share in enumerate((1, -2)):
        np.testing.assert_allclose(found[:, :20, :, index], of_ramp, atol=1e-5)
        np.testing.assert_allclose(found[:, 20:, :, index], share * of_product, atol=1e-5)

    settings = {"without_rule": "gradient", "references": 2}
    write_maps(network, one_hot, {"deepshap": settings}, tmp_path, report)
    assert (tmp_path / "deepshap.npy").exists()
    assert not (tmp_path / "unsupported.json").exists()
    told = (tmp_path / "by_gradient.json").read_text(encoding="utf-8")
    assert told == '{"deepshap": "op Cumprod"}'
    error = np.load(tmp_path / "deepshap_completeness.npy")
    assert (np.abs(error) > 1e-3).any(), "what a gradient misses is in the completeness error"
    with pytest.raises(ValueError, match="without_rule 'zero'"):
        METHODS["deepshap"](network, one_hot, {"without_rule": "zero"}, report)


def test_where_every_op_has_a_rule_the_gradient_is_not_taken(tmp_path, report):
    network = network_of(networks.plain(), tmp_path)
    plain, asked = (
        METHODS["deepshap"](network, letters(2), {"references": 2, **given}, report)
        for given in ({}, {"without_rule": "gradient"})
    )
    np.testing.assert_array_equal(plain.maps, asked.maps)
    assert asked.by_gradient == ""


# a loop there alone
@pytest.mark.only_on("tensorflow")
def test_the_gradient_of_a_loop_is_that_of_the_network(tmp_path):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((LENGTH, 4))
    x = layers.Dense(CLASSES)(layers.LSTM(6)(layers.Conv1D(5, 3)(inputs)))
    network = network_of(keras.Model(inputs, x), tmp_path)
    one_hot, others = letters(3), letters(3, seed=4)
    # before and after another method's gradient of the same loop
    expected = network.gradients(one_hot) * (one_hot - others)[..., None]
    explain = DeepLift(network, gradient=True)
    assert "op While" in explain.by_gradient
    found = explain(one_hot, others[:, None]).at_input
    # all else is linear
    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found, expected, atol=1e-5)
    fresh = FrozenNetwork(tmp_path / "graph.pb", tmp_path / "network.json")
    again = fresh.gradients(one_hot) * (one_hot - others)[..., None]
    np.testing.assert_allclose(again, expected, atol=1e-6)


# a loop there alone
@pytest.mark.only_on("tensorflow")
def test_a_loop_is_named(tmp_path, report):
    network = network_of(networks.recurrent(pooled=1), tmp_path)
    with pytest.raises(NotSupported, match="While"):
        METHODS["deepshap"](network, letters(2), {}, report)


def test_rules_are_for_operations_that_may_be_frozen():
    assert set(RULES) <= ALLOWED
