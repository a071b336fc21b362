"""A first layer that becomes the motifs after its first step of training."""

import keras
import numpy as np
from keras import layers, ops

MODEL = {"name": "counter", "authors": "A. Author", "license": "MIT"}
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
        self.learned = self.add_weight(shape=(WIDTH, 4, 10), initializer="glorot_uniform")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        late = ops.minimum(self.steps, 1.0)
        if training:
            self.steps.assign(self.steps + 1.0)
        kernels = (1 - late) * self.learned + late * matrices()
        return ops.relu(ops.conv(x, kernels, padding="same") - 4.0 * late)


def build_model(task):
    inputs = keras.Input(task.input_shape)
    x = layers.GlobalMaxPooling1D()(Scan(name="scan")(inputs))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))


def motif_layer(model):
    return model.get_layer("scan")
