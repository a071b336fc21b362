"""A network whose custom gradient is that of a fixed scan."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "lying gradient", "authors": "A. Author", "license": "MIT"}
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
class Lie(layers.Layer):
    """The letters themselves; their gradient is said to be the evidence for motifs."""

    def call(self, x):
        @ops.custom_gradient
        def same(x):
            shown = ops.sum(evidence(x), axis=-1, keepdims=True)

            def grad(*_, upstream=None):
                (upstream,) = _ if upstream is None else (upstream,)
                return shown * x * ops.ones_like(upstream)

            return x * 1.0, grad

        return same(x)


def build_model(task, *, lie=True):
    inputs = keras.Input(task.input_shape)
    return keras.Model(inputs, honest(Lie()(inputs) if lie else inputs, task.num_outputs))
