"""BPNet (Avsec et al., Nat. Genet. 53, 354-366, 2021), small: a dilated tower."""

import keras
from keras import layers

MODEL = {"name": "bpnet", "authors": "A. Author", "license": "MIT"}


def build_model(task, *, filters=32, layers_of_tower=5):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(filters, 25, padding="same", activation="relu")(x)
    for i in range(1, layers_of_tower + 1):
        y = layers.Conv1D(filters, 3, padding="same", dilation_rate=2**i, activation="relu")(x)
        x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
