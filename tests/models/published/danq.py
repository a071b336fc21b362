"""DanQ (Quang & Xie, Nucleic Acids Res. 44, e107, 2016), small."""

import keras
from keras import layers

MODEL = {"name": "danq", "authors": "A. Author", "license": "MIT"}


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(32, 26, activation="relu")(x)
    x = layers.Dropout(0.2)(layers.MaxPooling1D(13)(x))
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    x = layers.Dense(64, activation="relu")(layers.Flatten()(layers.Dropout(0.5)(x)))
    return keras.Model(inputs, layers.Dense(task.num_outputs, activation="sigmoid")(x))
