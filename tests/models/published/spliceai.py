"""SpliceAI (Jaganathan et al., Cell 176, 535-548, 2019), small: residual blocks with skips."""

import keras
from keras import layers

MODEL = {"name": "spliceai", "authors": "A. Author", "license": "MIT"}


def block(x, filters, width, rate):
    y = x
    for _ in range(2):
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv1D(filters, width, padding="same", dilation_rate=rate)(y)
    return layers.Add()([x, y])


def build_model(task, *, filters=24):
    inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(filters, 1)(inputs)
    skip = layers.Conv1D(filters, 1)(x)
    for width, rate in ((11, 1), (11, 1), (11, 4)):
        x = block(x, filters, width, rate)
        skip = layers.Add()([skip, layers.Conv1D(filters, 1)(x)])
    x = layers.GlobalMaxPooling1D()(skip)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
