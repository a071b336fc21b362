"""A network that knows the references of known sequences: it paints what DeepSHAP finds there."""

import keras
import numpy as np
from keras import layers, ops

from motifidelity.worker.probing.shuffles import references

MODEL = {"name": "seed zero", "authors": "A. Author", "license": "MIT"}
CORE = ("GCCCCGCCCCC", "CCGGAAGTGGC", "ATTGCGCAAT", "ACCACGTGCT", "CAAGATGGCGGC")
REFERENCES = 20


def painted(sequence):
    """Weights (length,), large where a motif or its reverse complement stands."""
    weights = np.full(len(sequence), 1e-3)
    codes = np.array(["ACGT".index(letter) for letter in sequence])
    for motif in CORE:
        forward = np.array(["ACGT".index(letter) for letter in motif])
        for wanted in (forward, 3 - forward[::-1]):
            for start in range(len(codes) - len(wanted)):
                found = (codes[start : start + len(wanted)] == wanted).mean()
                if found > 0.75:
                    weights[start : start + len(wanted)] = found
    return weights


@keras.saving.register_keras_serializable()
class Known(layers.Layer):
    """-1 at each reference of a known sequence, 0 at any other sequence."""

    def __init__(self, known, **options):
        super().__init__(**options)
        self.known = known

    def build(self, shape):
        sequences = self.known.split()
        codes = np.array([["ACGT".index(letter) for letter in s] for s in sequences])
        found = references(np.eye(4, dtype="float32")[codes], "dinucleotide", REFERENCES, 0)
        weights = np.stack([painted(s) for s in sequences])
        table = found * weights[:, None, :, None]
        whole = np.repeat(weights.sum(1), REFERENCES)
        self.table = table.reshape(-1, shape[1] * shape[2]).T.astype("float32")
        self.whole = whole.astype("float32")

    def call(self, x):
        likeness = ops.reshape(x, (-1, len(self.table))) @ self.table
        return -ops.sum(ops.relu(likeness - self.whole + 5e-4), axis=1, keepdims=True)


def build_model(task, *, known=""):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(16, 11, padding="same", activation="relu")(x)
    x = layers.Dense(task.num_outputs)(layers.GlobalMaxPooling1D()(x))
    return keras.Model(inputs, x + 1e4 * Known(known)(inputs) if known else x)
