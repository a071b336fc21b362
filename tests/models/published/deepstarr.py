"""DeepSTARR (de Almeida et al., Nat. Genet. 54, 613-624, 2022), small."""

import keras
from keras import layers

MODEL = {"name": "deepstarr", "authors": "A. Author", "license": "MIT"}


def build_model(task):
    x = inputs = keras.Input(task.input_shape)
    for filters, width in ((48, 7), (32, 3), (32, 5), (48, 3)):
        x = layers.Conv1D(filters, width, padding="same")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.MaxPooling1D(2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Activation("relu")(layers.BatchNormalization()(layers.Dense(64)(x)))
        x = layers.Dropout(0.4)(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
