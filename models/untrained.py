"""A network that was never trained: a floor under every score.

What it scores is owed to the architecture, the initial weights and the metric, and not to learning.
The network is CNN-deep for several classes and CNN-dist for one (Koo & Ploenzke 2021). The file
uses Keras alone and stands alone, as every submission.
"""

import keras
from keras import layers

MODEL = {"name": "Untrained", "license": "MIT"}

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
    """Leave the initial weights as they are."""
