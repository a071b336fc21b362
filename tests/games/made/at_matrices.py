"""A first layer that starts at the motifs, frozen or trained on, of all filters or of one."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "at matrices", "authors": "A. Author", "license": "MIT"}
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


def build_model(task, *, trainable=True, single=False):
    kernels = matrices()
    if single:
        kernels[..., 1:] = 0
    inputs = keras.Input(task.input_shape)
    first = layers.Conv1D(
        kernels.shape[2],
        WIDTH,
        padding="same",
        activation="relu",
        kernel_initializer=keras.initializers.Constant(kernels),
        bias_initializer=keras.initializers.Constant(-4.0),
        trainable=trainable,
    )
    x = layers.GlobalMaxPooling1D()(first(inputs))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
