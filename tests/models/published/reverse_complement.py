"""Reverse-complement sharing (Shrikumar et al., bioRxiv 103663, 2017): one scan, both strands."""

import keras
from keras import layers, ops

MODEL = {"name": "reverse complement", "authors": "A. Author", "license": "MIT"}


def build_model(task, *, filters=24):
    inputs = keras.Input(task.input_shape)
    scan = layers.Conv1D(filters, 19, padding="same", activation="relu")
    forward = scan(inputs)
    backward = ops.flip(scan(ops.flip(inputs, (1, 2))), 1)
    x = layers.MaxPooling1D(10)(layers.Maximum()([forward, backward]))
    x = layers.Conv1D(filters, 5, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.GlobalMaxPooling1D()(x)))
