"""LegNet (Penzar et al., Bioinformatics 39, btad457, 2023), small: inverted bottlenecks."""

import keras
from keras import layers

MODEL = {"name": "legnet", "authors": "A. Author", "license": "MIT"}


def excite(x, factor=4):
    filters = x.shape[-1]
    y = layers.Dense(filters // factor, activation="silu")(layers.GlobalAveragePooling1D()(x))
    y = layers.Dense(filters, activation="sigmoid")(y)
    return layers.Multiply()([x, layers.Reshape((1, filters))(y)])


def block(x, filters, expanded=2):
    y = layers.Conv1D(filters * expanded, 1, use_bias=False)(x)
    y = layers.Activation("silu")(layers.BatchNormalization()(y))
    y = layers.DepthwiseConv1D(7, padding="same", use_bias=False)(y)
    y = excite(layers.Activation("silu")(layers.BatchNormalization()(y)))
    y = layers.BatchNormalization()(layers.Conv1D(filters, 1, use_bias=False)(y))
    return layers.Concatenate()([x, layers.Activation("silu")(y)])


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(32, 11, padding="same", use_bias=False)(x)
    x = layers.Activation("silu")(layers.BatchNormalization()(x))
    for filters in (32, 24):
        x = block(x, filters)
        x = layers.Conv1D(filters, 7, padding="same", use_bias=False)(x)
        x = layers.MaxPooling1D(4)(layers.Activation("silu")(layers.BatchNormalization()(x)))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
