"""DeepSEA (Zhou & Troyanskaya, Nat. Methods 12, 931-934, 2015), small, in Conv2D."""

import keras
from keras import layers

MODEL = {"name": "deepsea", "authors": "A. Author", "license": "MIT"}


def build_model(task):
    length, letters = task.input_shape
    x = inputs = keras.Input(task.input_shape)
    x = layers.Reshape((length, 1, letters))(x)
    for filters in (32, 48, 64):
        x = layers.Conv2D(filters, (8, 1), activation="relu")(x)
        if filters < 64:
            x = layers.Dropout(0.2)(layers.MaxPooling2D((4, 1))(x))
    x = layers.Dense(64, activation="relu")(layers.Dropout(0.5)(layers.Flatten()(x)))
    return keras.Model(inputs, layers.Dense(task.num_outputs, activation="sigmoid")(x))
