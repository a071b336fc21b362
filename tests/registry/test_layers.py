"""Layers that are read off a frozen graph are those that Keras was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from registry_rows import result

from motifidelity.errors import DataError
from motifidelity.registry import Registry, Result
from motifidelity.registry.layers import Layer, layers_of

LENGTH = 64


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with one of everything, frozen."""
    import keras
    from keras import layers

    from motifidelity.worker.frozen.freeze import freeze

    one = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 11, padding="same", use_bias=False)(one)
    x = layers.Activation("exponential")(layers.BatchNormalization()(x))
    x = layers.MaxPooling1D(4)(x)
    for dilation in (1, 1, 4):
        y = layers.Conv1D(8, 3, padding="same", dilation_rate=dilation, activation="relu")(x)
        x = layers.Add()([x, y])
    x = layers.Conv1D(6, 5, strides=2, activation="gelu")(x)
    x = layers.AveragePooling1D(2)(x)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(10, activation="elu")(x)
    model = keras.Model(one, layers.Dense(3, activation="sigmoid")(x))
    folder = tmp_path_factory.mktemp("frozen")
    freeze(model, (LENGTH, 4), "model.py").write(folder)
    return folder


def test_every_layer_is_named_with_its_size_and_what_follows_it(frozen: Path) -> None:
    logits = json.loads((frozen / "network.json").read_text())["logits"]
    found = layers_of((frozen / "graph.pb").read_bytes(), logits)
    kinds = [(layer.kind, layer.size, layer.times) for layer in found if layer.kind != "attention"]
    blocks = [one for one in kinds if one[0] == "convolution"]
    assert blocks == [
        ("convolution", "11 wide, 8 filters", 1),
        ("convolution", "3 wide, 8 filters", 2),
        ("convolution", "3 wide, 8 filters, dilation 4", 1),
        ("convolution", "5 wide, 6 filters, stride 2", 1),
    ]
    assert ("max pooling", "4 wide", 1) in kinds
    assert ("mean pooling", "2 wide", 1) in kinds
    assert ("mean over positions", "", 1) in kinds
    assert kinds[-2:] == [("dense", "10 units", 1), ("dense", "3 units", 1)]
    assert any(layer.kind == "attention" for layer in found)
    by_size = {layer.size: layer.then for layer in found}
    assert by_size["11 wide, 8 filters"] == ("normalised", "exponential")
    assert by_size["3 wide, 8 filters"] == ("ReLU", "added to an earlier one")
    assert by_size["5 wide, 6 filters, stride 2"] == ("GELU",)
    assert by_size["10 units"] == ("ELU",)
    assert by_size["3 units"] == ()  # the logits are before the sigmoid


def test_a_registry_gives_the_layers_of_what_it_keeps(frozen: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    files = [frozen / "network.json", frozen / "graph.pb"]
    kept = registry.record(Result(result().job, files=files))
    found = registry.layers(kept)
    assert found[0] == Layer("convolution", "11 wide, 8 filters", ("normalised", "exponential"))
    assert registry.layers(registry.record(result())) is None
    graph = registry.folder / "networks" / kept / "graph.pb"
    graph.write_bytes(b"\x0a\xff no graph")
    with pytest.raises(DataError, match=f"networks/{kept}: damaged"):
        registry.layers(kept)
