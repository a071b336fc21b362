"""A network trained on the shuffled values of a regression: a floor under every score.

It has seen the sequences as often as a network that learned, but nothing that they mean.
The network is CNN-dist (Koo & Ploenzke 2021). The file uses Keras alone and stands alone, as every
submission; tasks of classes have `shuffled_labels.py`.
"""

import keras
import numpy as np
from keras import layers

MODEL = {"name": "Shuffled labels", "license": "MIT"}


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
    x = inputs = keras.Input(task.input_shape)
    x = block(x, conv(24, 19, "same"), activation, 0.1)
    x = block(x, conv(32, 7, "same"), "relu", 0.2)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(48, 7, "valid"), "relu", 0.3)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(64, 3, "valid"), "relu", 0.4)
    x = layers.MaxPooling1D(3, padding="same")(x)
    x = layers.Flatten()(x)
    hidden = layers.Dense(96, use_bias=False, kernel_initializer="he_normal")
    x = block(x, hidden, "relu", 0.5)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))


def fit(model, data):
    """Train for ten epochs on values that were dealt out at random."""
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.MeanSquaredError())
    values = np.random.default_rng(data.seed).permutation(data.y_train)
    model.fit(data.x_train, values, batch_size=100, epochs=10, verbose=0)
