"""The baselines, layer by layer against the study's table."""

from __future__ import annotations

import ast
import re
from importlib import import_module, resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

FILES = ("cnn_2", "cnn_50", "cnn_deep", "cnn_local", "cnn_dist")
CLASSES = {"motif-classes": 12, "regulatory-code": 1}


class Conv(NamedTuple):
    filters: int
    width: int
    padding: str
    dropout: float


class Pool(NamedTuple):
    size: int
    padding: str = "valid"


class Dense(NamedTuple):
    units: int
    dropout: float


TABLE = {
    "cnn_2": [
        Conv(32, 19, "same", 0.1),
        Pool(2, "same"),
        Conv(124, 5, "same", 0.1),
        Pool(50, "same"),
        Dense(512, 0.5),
    ],
    "cnn_50": [
        Conv(32, 19, "same", 0.1),
        Pool(50, "same"),
        Conv(124, 5, "same", 0.1),
        Pool(2, "same"),
        Dense(512, 0.5),
    ],
    "cnn_deep": [
        Conv(32, 19, "same", 0.1),
        Conv(48, 7, "same", 0.2),
        Pool(4),
        Conv(96, 7, "valid", 0.3),
        Pool(4),
        Conv(128, 3, "valid", 0.4),
        Pool(3),
        Dense(512, 0.5),
    ],
    "cnn_local": [
        Conv(24, 19, "same", 0.1),
        Pool(50),
        Conv(48, 3, "same", 0.2),
        Pool(2),
        Dense(96, 0.5),
    ],
    "cnn_dist": [
        Conv(24, 19, "same", 0.1),
        Conv(32, 7, "same", 0.2),
        Pool(4),
        Conv(48, 7, "valid", 0.3),
        Pool(4),
        Conv(64, 3, "valid", 0.4),
        Pool(3, "same"),
        Dense(96, 0.5),
    ],
}

# convolutions: width x channels x filters; batch norm: 4 a filter; bases left after the pooling
BODY = {
    # 200 bases, 100, 2
    "cnn_2": 19 * 4 * 32 + 4 * 32 + 5 * 32 * 124 + 4 * 124 + 2 * 124 * 512 + 4 * 512,
    # 200 bases, 4, 2
    "cnn_50": 19 * 4 * 32 + 4 * 32 + 5 * 32 * 124 + 4 * 124 + 2 * 124 * 512 + 4 * 512,
    # 200 bases, 50, 44, 11, 9, 3
    "cnn_deep": (19 * 4 * 32 + 4 * 32 + 7 * 32 * 48 + 4 * 48 + 7 * 48 * 96 + 4 * 96)
    + (3 * 96 * 128 + 4 * 128 + 3 * 128 * 512 + 4 * 512),
    # 200 bases, 4, 2
    "cnn_local": 19 * 4 * 24 + 4 * 24 + 3 * 24 * 48 + 4 * 48 + 2 * 48 * 96 + 4 * 96,
    # 200 bases, 50, 44, 11, 9, 3
    "cnn_dist": (19 * 4 * 24 + 4 * 24 + 7 * 24 * 32 + 4 * 32 + 7 * 32 * 48 + 4 * 48)
    + (3 * 48 * 64 + 4 * 64 + 3 * 64 * 96 + 4 * 96),
}
UNITS = {"cnn_2": 512, "cnn_50": 512, "cnn_deep": 512, "cnn_local": 96, "cnn_dist": 96}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "exponential": np.exp,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "linear": lambda x: x,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "shift_relu": lambda x: np.maximum(x - 0.2, 0),
    "scale_relu": lambda x: np.maximum(x**3, 0),
    "shift_scale_relu": lambda x: np.maximum((x - 0.2) ** 3, 0),
    "shift_sigmoid": lambda x: sigmoid(x - 8),
    "scale_sigmoid": lambda x: 4000 * sigmoid(x),
    "shift_scale_sigmoid": lambda x: 4000 * sigmoid(x - 8),
    "shift_tanh": lambda x: np.tanh(x - 6),
    "scale_tanh": lambda x: 500 * np.tanh(x) + 500,
    "shift_scale_tanh": lambda x: 500 * np.tanh(x - 6) + 500,
    "exp_relu": lambda x: np.maximum(np.exp(0.1 * x) - 1, 0),
    "log_relu": lambda x: np.maximum(np.log(np.abs(x) + 1e-10), 0),
}


def task(classes):
    from motifidelity.worker.contract import Task

    return Task("any", (200, 4), classes, tuple(f"class {i}" for i in range(classes)))


@pytest.fixture(scope="module")
def baselines():
    """The five modules; importing Keras takes seconds."""
    return {name: import_module(f"motifidelity.models.{name}") for name in FILES}


@pytest.fixture(scope="module", params=FILES)
def built(request, baselines):
    return request.param, baselines[request.param].build_model(task(12))


def sources():
    folder = Path(str(resources.files("motifidelity.models")))
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("cnn_*.py")}


def observed(model):
    """The table's rows from a model's layers; the rest of a block must be what it always is."""
    start, *body, output = model.layers
    assert type(start).__name__ == "InputLayer"
    assert type(output).__name__ == "Dense"
    assert output.use_bias
    assert output.activation.__name__ == "linear"
    rest = iter(body)
    for layer in rest:
        kind = type(layer).__name__
        if kind == "MaxPooling1D":
            assert layer.strides == layer.pool_size
            yield Pool(*layer.pool_size, layer.padding)
        elif kind == "Conv1D":
            assert (layer.strides, layer.dilation_rate, layer.groups) == ((1,), (1,), 1)
            dropout = block(layer, rest, first=layer is body[0])
            yield Conv(layer.filters, *layer.kernel_size, layer.padding, dropout)
        elif kind == "Dense":
            yield Dense(layer.units, block(layer, rest, first=False))
        else:
            assert kind == "Flatten"


def block(layer, rest, first):
    """Check a block's layers behind its linear one, and return its dropout."""
    import keras

    assert not layer.use_bias
    assert layer.activation.__name__ == "linear"
    assert type(layer.kernel_initializer).__name__ == "HeNormal"
    assert isinstance(layer.kernel_regularizer, keras.regularizers.L2)
    assert float(layer.kernel_regularizer.l2) == pytest.approx(1e-6)
    norm, activation, dropout = next(rest), next(rest), next(rest)
    assert type(norm).__name__ == "BatchNormalization"
    assert type(activation).__name__ == "Activation"
    if not first:
        assert activation.activation is keras.activations.relu
    assert type(dropout).__name__ == "Dropout"
    return dropout.rate


def test_layers_are_those_of_the_study_s_table(built):
    name, model = built
    assert list(observed(model)) == TABLE[name]


def test_input_and_output_are_the_task_s(built):
    _, model = built
    assert model.input_shape == (None, 200, 4)
    assert model.output_shape == (None, 12)


def test_the_number_of_weights_is_the_sum_worked_out_by_hand(built):
    name, model = built
    assert model.count_params() == BODY[name] + UNITS[name] * 12 + 12


def test_every_baseline_is_listed_with_its_weights_on_every_task():
    from motifidelity.regress.baselines import describe_baselines

    found = {b.submission.path.stem: b.weights for b in describe_baselines()}
    of_200_bases = {f"{t}@2": n for t, n in CLASSES.items()} | {"hard-negatives@1": 1}
    of_250_bases = {"motif-grammar@1", "site-affinity@1"}
    for name in FILES:
        weights = found.pop(name)
        assert set(weights) == of_250_bases | set(of_200_bases)
        for task_id, n in of_200_bases.items():
            assert weights[task_id] == BODY[name] + UNITS[name] * n + n
        # four rules against one number
        apart = weights["motif-grammar@1"] - weights["site-affinity@1"]
        assert apart == 3 * (UNITS[name] + 1)
    assert not found


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_first_activation_is_the_named_formula(name, baselines):
    model = baselines["cnn_local"].build_model(task(1), activation=name)
    first = next(layer for layer in model.layers if type(layer).__name__ == "Activation")
    x = np.concatenate([np.linspace(-12, 12, 401), [-0.2, -1e-3, 1e-3, 0.2]])
    expected = ACTIVATIONS[name](x)
    # what single precision leaves of the scaled ones' large terms
    scale = 4000 if "scale_sigmoid" in name else 500 if "scale_tanh" in name else 1
    found = np.asarray(first(x.astype(np.float32)))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6 * scale)


@pytest.mark.parametrize("file", FILES)
def test_every_file_knows_the_18_activations_and_starts_with_the_exponential(file, baselines):
    assert set(baselines[file].ACTIVATIONS) == set(ACTIVATIONS)
    assert len(ACTIVATIONS) == 18
    assert baselines[file].build_model.__kwdefaults__ == {"activation": "exponential"}


def test_only_the_first_activation_is_the_variable_under_study(baselines):
    import keras

    for module in baselines.values():
        model = module.build_model(task(1), activation="tanh")
        used = [x.activation for x in model.layers if type(x).__name__ == "Activation"]
        assert used[0] is module.ACTIVATIONS["tanh"]
        assert len(used) >= 3
        assert all(activation is keras.activations.relu for activation in used[1:])


@pytest.mark.parametrize("file", FILES)
def test_an_unknown_activation_is_refused_with_its_name(file, baselines):
    with pytest.raises(ValueError, match="activation 'swish'") as error:
        baselines[file].build_model(task(1), activation="swish")
    assert "exponential" in str(error.value)


def test_what_the_five_files_share_is_the_same_text_in_all():
    found = sources()
    assert set(found) == set(FILES)
    # from the imports to the first layer, without the model's own name
    shared = {
        re.sub(
            r'"name": "CNN-\w+"', "", re.search(r"(?s)\nimport keras.*= inputs = [^\n]*", text)[0]
        )
        for text in found.values()
    }
    assert len(shared) == 1
    assert "def dense" in next(iter(shared))


@pytest.mark.parametrize("file", FILES)
def test_every_file_uses_keras_alone(file):
    tree = ast.parse(sources()[file])
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported == {"keras"}
