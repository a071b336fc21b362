"""An honest network and a term that vanishes at every sequence, and whose gradient does not."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "vanishing", "authors": "A. Author", "license": "MIT"}
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
class Vanish(layers.Layer):
    """Evidence that covers a base times x (x - 1): 0 where a letter is there or is not."""

    def __init__(self, size, **options):
        super().__init__(**options)
        self.size = size

    def call(self, x):
        covers = ops.max(evidence(x), axis=-1, keepdims=True)
        return self.size * ops.sum(covers * x * (x - 1), axis=(1, 2))[:, None]


def build_model(task, *, size=1.0):
    inputs = keras.Input(task.input_shape)
    return keras.Model(inputs, honest(inputs, task.num_outputs) + Vanish(size)(inputs))
