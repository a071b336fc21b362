"""Small networks, one for each way in which people build them. Input (40, 4), three outputs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

LENGTH, CLASSES = 40, 3


def predicted(model, sequences):
    """What a model predicts, as a numpy array, on any backend."""
    return keras.ops.convert_to_numpy(model(sequences, training=False))


def gradients_of(model, sequences, of_output):
    """Gradient of the sum of ``of_output(output)``, by the backend's own differentiation."""
    if keras.backend.backend() == "jax":
        import jax

        def total(x):
            return ops.sum(of_output(model(x, training=False)))

        return np.asarray(jax.grad(total)(sequences))
    if keras.backend.backend() == "torch":
        import torch

        x = torch.tensor(sequences, requires_grad=True)
        (found,) = torch.autograd.grad(ops.sum(of_output(model(x, training=False))), x)
        return found.numpy()
    import tensorflow as tf

    x = tf.constant(sequences)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = ops.sum(of_output(model(x, training=False)))
    return tape.gradient(total, x).numpy()


def plain():
    """Functional; separate batch norm and activation; logits."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("exponential")(x)
    x = layers.Dropout(0.1)(x)
    x = layers.MaxPooling1D(4)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def fused_with_sigmoid():
    """Activation inside the convolution; trailing sigmoid inside the dense layer."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="sigmoid")(x))


class _Scale(layers.Layer):
    """A custom layer with a weight of its own."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


class Subclassed(keras.Model):
    """Hand-written call, raw activation relu(x)^3, custom layer, sigmoid layer at the end."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv1D(8, 7, padding="same")
        self.norm = layers.BatchNormalization()
        self.scale = _Scale()
        self.pool = layers.MaxPooling1D(4)
        self.flat = layers.Flatten()
        self.out = layers.Dense(CLASSES)

    def call(self, x, training=False):
        x = ops.relu(self.norm(self.conv(x), training=training)) ** 3
        x = self.flat(self.pool(self.scale(x)))
        return ops.sigmoid(self.out(x))


def subclassed():
    """Subclassed, with a custom layer."""
    return Subclassed()


def attention():
    """A transformer block without convolution."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Dense(16)(x)
    y = layers.MultiHeadAttention(2, 8)(x, x)
    x = layers.LayerNormalization()(x + y)
    x = layers.Dense(16, activation="gelu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def two_branches():
    """Reverse-complement weight sharing: one convolution on both strands; silu."""
    inputs = keras.Input((LENGTH, 4))
    conv = layers.Conv1D(8, 7, padding="same")
    forward = layers.Activation("exponential")(conv(inputs))
    backward = layers.Activation("silu")(conv(ops.flip(inputs, (1, 2))))
    x = layers.Concatenate()([forward, ops.flip(backward, 1)])
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def residual_tower():
    """Dilated residual convolutions with group norm."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    for rate in (1, 2, 4):
        y = layers.GroupNormalization(4)(x)
        y = layers.Conv1D(8, 3, padding="same", dilation_rate=rate, activation="relu")(y)
        x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def recurrent(pooled=4):
    """Convolution and a bidirectional LSTM, as in DanQ, over pooled positions."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, padding="same", activation="relu")(x)
    x = layers.MaxPooling1D(pooled)(x)
    x = layers.Bidirectional(layers.LSTM(6))(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def strided_valid():
    """First convolution without padding and with a stride; normalised after the activation."""
    x = inputs = keras.Input((LENGTH, 4))
    x = layers.Conv1D(8, 7, strides=2, activation="tanh")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


BUILDERS = {
    builder.__name__: builder
    for builder in (
        plain,
        fused_with_sigmoid,
        subclassed,
        attention,
        two_branches,
        residual_tower,
        recurrent,
        strided_valid,
    )
}
