"""Dilated: a residual tower of dilated convolutions at full resolution.

Nothing is pooled before the last step, so that the order of two sites and the bases between them
are still there where they are combined; after Yu and Koltun, arXiv:1511.07122, and BPNet (Avsec et
al., Nature Genetics 53, 354-366, 2021). Copy it as a start where how motifs act together is asked.
"""

import keras
from keras import layers, ops

MODEL = {"name": "Dilated", "authors": "Motifidelity", "license": "MIT"}
ACTIVATIONS = {"relu": ops.relu, "exponential": ops.exp}


def build_model(task, *, activation="exponential", filters=64, blocks=5):
    """Build the network: input ``task.input_shape``, one logit per class."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation '{activation}' is not one of {', '.join(ACTIVATIONS)}")
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(filters, 19, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation(ACTIVATIONS[activation])(x)
    x = layers.Dropout(0.1)(x)
    for block in range(blocks):
        y = layers.Conv1D(filters, 3, padding="same", dilation_rate=2**block, use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("relu")(y)
        y = layers.Dropout(0.1)(y)
        x = layers.Add()([x, y])
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
