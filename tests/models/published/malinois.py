"""Malinois (Gosai et al., Nature 634, 1211-1220, 2024), small: a branch for each output."""

import keras
from keras import layers

MODEL = {"name": "malinois", "authors": "A. Author", "license": "MIT"}


def branch(x):
    for _ in range(2):
        x = layers.Dropout(0.2)(layers.Dense(24, activation="relu")(x))
    return layers.Dense(1)(x)


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    for filters, width, pool in ((48, 19, 3), (48, 11, 4), (48, 7, 4)):
        x = layers.Conv1D(filters, width, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling1D(pool)(x)
    x = layers.Dropout(0.1)(layers.Dense(64, activation="relu")(layers.Flatten()(x)))
    outputs = [branch(x) for _ in range(task.num_outputs)]
    joined = layers.Concatenate()(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, joined)
