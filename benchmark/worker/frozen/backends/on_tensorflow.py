"""TensorFlow: the network runs as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from . import Forward, recorded_output

# a recurrent layer of at most so many steps is written out, so that every operation has a rule;
# a longer one stays a loop
UNROLLED = 32


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def lower(model: Any, shape: tuple[int, ...], motif_layer: Any) -> Forward:
    """The network itself; see `Backend.lower`."""

    def forward(sequences: Any) -> list[Any]:
        # the scope keeps a layer whose name begins with "_" from being an invalid root name
        with recorded_output(motif_layer) as seen, _unrolled(model), tf.name_scope("network"):
            output = model(sequences, training=False)
        return [output, *seen[:1]]

    return forward


@contextmanager
def _unrolled(model: Any) -> Iterator[None]:
    """Let recurrent layers write out their steps while a model is traced."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    before = [(layer, layer.unroll) for layer in layers]
    for layer in layers:
        layer.inner_loop = _written_out(layer, layer.inner_loop)
    try:
        yield
    finally:
        for layer, unroll in before:
            # the class's own again
            del layer.inner_loop
            layer.unroll = unroll


def _written_out(layer: Any, loop: Any) -> Any:
    def inner_loop(sequences: Any, **others: Any) -> Any:
        steps = sequences.shape[1]
        layer.unroll = layer.unroll or (steps is not None and steps <= UNROLLED)
        return loop(sequences=sequences, **others)

    return inner_loop
