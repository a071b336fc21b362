"""scBasset (Yuan & Kelley, Nat. Methods 19, 1088-1096, 2022), small: a bottleneck at the end."""

import keras
from keras import layers

MODEL = {"name": "scbasset", "authors": "A. Author", "license": "MIT"}


def block(x, filters, width, pool):
    x = layers.Activation("gelu")(x)
    x = layers.Conv1D(filters, width, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.MaxPooling1D(pool, padding="same")(x) if pool > 1 else x


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(32, 17, padding="same", use_bias=False)(x)
    x = layers.MaxPooling1D(3, padding="same")(layers.BatchNormalization(momentum=0.9)(x))
    for filters in (32, 40, 48):
        x = block(x, filters, 5, 2)
    x = layers.Flatten()(block(x, 32, 1, 1))
    x = layers.BatchNormalization()(layers.Dense(16)(layers.Activation("gelu")(x)))
    x = layers.Activation("gelu")(layers.Dropout(0.2)(x))
    return keras.Model(inputs, layers.Dense(task.num_outputs, activation="sigmoid")(x))
