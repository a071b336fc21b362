"""Basset (Kelley et al., Genome Res. 26, 990-999, 2016), small."""

import keras
from keras import layers

MODEL = {"name": "basset", "authors": "A. Author", "license": "MIT"}


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    for filters, width, pool in ((32, 19, 3), (48, 11, 4), (48, 7, 4)):
        x = layers.Conv1D(filters, width, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling1D(pool)(x)
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Dropout(0.3)(x)))
