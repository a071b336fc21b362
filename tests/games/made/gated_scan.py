"""An ordinary network whose scan is let through only where a fixed one finds a motif."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "gated scan", "authors": "A. Author", "license": "MIT"}
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


@keras.saving.register_keras_serializable()
class Scan(layers.Layer):
    def build(self, shape):
        self.learned = layers.Conv1D(16, 11, padding="same", activation="relu")
        self.learned.build(shape)

    def call(self, x):
        # what is let through stands where the middle of a match lies
        site = ops.max(evidence(x), axis=-1, keepdims=True)
        return (1e-3 + self.learned(x)) * ops.where(site > 1.0, site, 1e-3)


def build_model(task):
    inputs = keras.Input(task.input_shape)
    x = layers.MaxPooling1D(20)(Scan(name="scan")(inputs))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(layers.Flatten()(x)))


def motif_layer(model):
    return model.get_layer("scan")
