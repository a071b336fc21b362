"""A hybrid of convolution, recurrence and attention, as for promoters and enhancers."""

import keras
from keras import layers

MODEL = {"name": "hybrid attention", "authors": "A. Author", "license": "MIT"}


def build_model(task, *, filters=32):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(filters, 19, padding="same", activation="exponential")(x)
    x = layers.Dropout(0.1)(layers.MaxPooling1D(20)(x))
    x = layers.Bidirectional(layers.GRU(16, return_sequences=True))(x)
    y = layers.MultiHeadAttention(4, 8)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, y]))
    x = layers.Dense(48, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Dropout(0.3)(x)))
