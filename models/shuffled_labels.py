"""A network trained on shuffled labels: a floor under every score.

It has seen the sequences as often as a network that learned, but nothing that they mean.
The network is CNN-deep for several classes and CNN-dist for one (Koo & Ploenzke 2021). The file
uses Keras alone and stands alone, as every submission.
"""

import keras
import numpy as np
from keras import layers

MODEL = {"name": "Shuffled labels", "license": "MIT"}

# filters of the four convolutions, then units of the dense layer
LARGE, SMALL = (32, 48, 96, 128, 512), (24, 32, 48, 64, 96)


def block(x, layer, activation, dropout):
    """Linear layer, batch norm, activation, dropout."""
    x = layers.BatchNormalization()(layer(x))
    return layers.Dropout(dropout)(layers.Activation(activation)(x))


def conv(filters, width, padding):
    """Convolution as the study has it: no bias, He initialisation."""
    return layers.Conv1D(
        filters, width, padding=padding, use_bias=False, kernel_initializer="he_normal"
    )


def build_model(task, *, activation="exponential"):
    """Build the network; `activation` is any name that Keras knows."""
    sizes = LARGE if task.num_outputs > 1 else SMALL
    x = inputs = keras.Input(task.input_shape)
    x = block(x, conv(sizes[0], 19, "same"), activation, 0.1)
    x = block(x, conv(sizes[1], 7, "same"), "relu", 0.2)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(sizes[2], 7, "valid"), "relu", 0.3)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(sizes[3], 3, "valid"), "relu", 0.4)
    x = layers.MaxPooling1D(3, padding="same")(x)
    x = layers.Flatten()(x)
    hidden = layers.Dense(sizes[4], use_bias=False, kernel_initializer="he_normal")
    x = block(x, hidden, "relu", 0.5)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))


def fit(model, data):
    """Train for ten epochs on labels that were dealt out at random."""
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    labels = np.random.default_rng(data.seed).permutation(data.y_train)
    model.fit(data.x_train, labels, batch_size=100, epochs=10, verbose=0)
