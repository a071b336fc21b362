"""Like Enformer (Avsec et al., Nat. Methods 18, 1196, 2021), small: attention pools and follows."""

import keras
from keras import layers, ops

MODEL = {"name": "enformer", "authors": "A. Author", "license": "MIT"}


class AttentionPooling(layers.Layer):
    """Softmax-weighted mean of neighbours, the weights computed from them."""

    def __init__(self, size, **options):
        super().__init__(**options)
        self.size = size

    def build(self, shape):
        self.weigh = layers.Dense(shape[-1], use_bias=False, kernel_initializer="identity")
        self.weigh.build(shape)

    def call(self, x):
        n, filters = x.shape[1] // self.size, x.shape[2]
        parts = ops.reshape(x, (-1, n, self.size, filters))
        return ops.sum(parts * ops.softmax(self.weigh(parts), axis=2), axis=2)


def build_model(task, *, filters=32):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(filters, 15, padding="same")(x)
    y = layers.Conv1D(filters, 1)(layers.Activation("gelu")(layers.BatchNormalization()(x)))
    x = AttentionPooling(10)(layers.Add()([x, y]))
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, 8)(y, y)])
        y = layers.Dense(2 * filters, activation="relu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(filters)(y)])
    x = layers.Activation("gelu")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
