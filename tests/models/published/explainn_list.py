"""ExplaiNN (Novakovsky et al., Genome Biol. 24, 154, 2023), small: its units as a list."""

import keras
from keras import layers

MODEL = {"name": "explainn list", "authors": "A. Author", "license": "MIT"}


def unit(x):
    x = layers.Conv1D(1, 19)(x)
    x = layers.Activation("exponential")(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.MaxPooling1D(7)(x))
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Dense(8)(x)))
    return layers.Dense(1, activation="relu")(layers.Dropout(0.3)(x))


def build_model(task, *, units=8):
    inputs = keras.Input(task.input_shape)
    x = layers.Concatenate()([unit(inputs) for _ in range(units)])
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
