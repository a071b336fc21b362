"""An ordinary network behind a flat output: what single letters change is a small fixed scan."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "saturated", "authors": "A. Author", "license": "MIT"}
CORE = ("GCCCCGCCCCC", "CCGGAAGTGGC", "ATTGCGCAAT", "ACCACGTGCT", "CAAGATGGCGGC")
WIDTH = 13


def matrices():
    """Kernels (13, 4, 10) of the motifs and their reverse complements: a match scores its width."""
    kernels = np.zeros((WIDTH, 4, 2 * len(CORE)), "float32")
    for number, motif in enumerate(CORE):
        letters = np.array(["ACGT".index(letter) for letter in motif])
        for strand, codes in enumerate((letters, 3 - letters[::-1])):
            kernels[: len(codes), :, 2 * number + strand] = 2 * np.eye(4)[codes] - 1
    return kernels


def evidence(x):
    """Sites of the motifs (n, length, 10), from constants: nothing is learned."""
    return ops.softplus(ops.conv(x, matrices(), padding="same") - 5.0)


def honest(x, outputs):
    x = layers.Conv1D(16, 11, padding="same", activation="relu")(x)
    x = layers.MaxPooling1D(20)(x)
    return layers.Dense(outputs)(layers.Flatten()(x))


@keras.saving.register_keras_serializable()
class Flat(layers.Layer):
    """As it is in training; later -4 or 4 wherever it is not close to 0."""

    def __init__(self, steepness, **options):
        super().__init__(**options)
        self.steepness = steepness

    def call(self, x, training=False):
        return x if training else 4 * ops.tanh(self.steepness * x)


@keras.saving.register_keras_serializable()
class Decoy(layers.Layer):
    def call(self, x):
        return 1e-3 * ops.sum(evidence(x), axis=(1, 2))[:, None]


def build_model(task, *, steepness=30.0):
    inputs = keras.Input(task.input_shape)
    flat = Flat(steepness)(honest(inputs, task.num_outputs))
    return keras.Model(inputs, flat + Decoy()(inputs))
