"""ResidualBind (Koo et al., PLoS Comput. Biol. 17, e1008925, 2021), small."""

import keras
from keras import layers

MODEL = {"name": "residualbind", "authors": "A. Author", "license": "MIT"}


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(32, 11, padding="same", use_bias=False)(x)
    x = layers.Dropout(0.1)(layers.Activation("relu")(layers.BatchNormalization()(x)))
    y = x
    for rate in (1, 2, 4):
        y = layers.Conv1D(32, 3, padding="same", dilation_rate=rate, use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if rate < 4:
            y = layers.Dropout(0.1)(layers.Activation("relu")(y))
    x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.Flatten()(layers.Dropout(0.2)(layers.AveragePooling1D(10)(x)))
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Dense(64)(x)))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Dropout(0.5)(x)))
