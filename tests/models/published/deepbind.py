"""DeepBind (Alipanahi et al., Nat. Biotechnol. 33, 831, 2015), small: padded by a whole motif."""

import keras
from keras import layers

MODEL = {"name": "deepbind", "authors": "A. Author", "license": "MIT"}


def build_model(task, *, motif=24):
    x = inputs = keras.Input(task.input_shape)
    x = layers.ZeroPadding1D(motif - 1)(x)
    x = layers.Conv1D(16, motif, activation="relu", name="scan")(x)
    both = [layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]
    x = layers.Dense(32, activation="relu")(layers.Concatenate()(both))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Dropout(0.5)(x)))
