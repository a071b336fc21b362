"""ExplaiNN (Novakovsky et al., Genome Biol. 24, 154, 2023), small: its units as groups."""

import keras
from keras import layers

MODEL = {"name": "explainn groups", "authors": "A. Author", "license": "MIT"}


def build_model(task, *, units=16):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Concatenate()([x] * units)
    x = layers.Conv1D(units, 19, groups=units)(x)
    x = layers.Activation("exponential")(layers.BatchNormalization()(x))
    x = layers.MaxPooling1D(7)(x)
    x = layers.Conv1D(units * 4, x.shape[1], groups=units)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv1D(units, 1, groups=units)(layers.Dropout(0.3)(x))
    x = layers.Flatten()(layers.ReLU()(layers.BatchNormalization()(x)))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
