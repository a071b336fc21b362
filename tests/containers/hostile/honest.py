"""No attack: the result that all others must leave as it is."""

import keras
from keras import layers


def build_model(task):
    inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(8, 19, padding="same", activation="exponential")(inputs)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
