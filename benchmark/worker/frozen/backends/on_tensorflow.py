"""TensorFlow: the network runs as it is."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from . import Forward, recorded_output


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def lower(model: Any, shape: tuple[int, ...], motif_layer: Any) -> Forward:
    """The network itself; see `Backend.lower`."""

    def forward(sequences: Any) -> list[Any]:
        # the scope keeps a layer whose name begins with "_" from being an invalid root name
        with recorded_output(motif_layer) as seen, tf.name_scope("network"):
            output = model(sequences, training=False)
        return [output, *seen[:1]]

    return forward
