"""CNN-deep: four convolutions with little pooling between the first two.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021). The first layer's activation is the
variable under study; every other activation is ReLU. The file uses Keras alone and can be copied
as a start for your own model: the benchmark calls ``build_model`` and nothing else.
"""

import keras
from keras import layers, ops

MODEL = {
    "name": "CNN-deep",
    "authors": "Peter K. Koo and Matt Ploenzke",
    "url": "https://doi.org/10.1038/s42256-020-00291-x",
    "license": "MIT",
}

# the study's plain and modified first-layer activations
ACTIVATIONS = {
    "relu": ops.relu,
    "exponential": ops.exp,
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
    "softplus": ops.softplus,
    "linear": lambda x: x,
    "elu": ops.elu,
    "shift_relu": lambda x: ops.relu(x - 0.2),
    "scale_relu": lambda x: ops.relu(x**3),
    "shift_scale_relu": lambda x: ops.relu((x - 0.2) ** 3),
    "shift_sigmoid": lambda x: ops.sigmoid(x - 8.0),
    "scale_sigmoid": lambda x: 4000.0 * ops.sigmoid(x),
    "shift_scale_sigmoid": lambda x: 4000.0 * ops.sigmoid(x - 8.0),
    "shift_tanh": lambda x: ops.tanh(x - 6.0),
    "scale_tanh": lambda x: 500.0 * ops.tanh(x) + 500.0,
    "shift_scale_tanh": lambda x: 500.0 * ops.tanh(x - 6.0) + 500.0,
    "exp_relu": lambda x: ops.relu(ops.exp(0.1 * x) - 1.0),
    "log_relu": lambda x: ops.relu(ops.log(ops.abs(x) + 1e-10)),
}


def block(x, layer, activation, dropout):
    """Linear layer, batch norm, activation, dropout."""
    x = layer(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation(activation)(x)
    return layers.Dropout(dropout)(x)


def conv(filters, width, padding):
    """Convolution as the study has it: no bias, He initialisation, L2 1e-6."""
    return layers.Conv1D(
        filters,
        width,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(1e-6),
    )


def dense(units):
    """Dense layer as the study has it: no bias, He initialisation, L2 1e-6."""
    return layers.Dense(
        units,
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(1e-6),
    )


def build_model(task, *, activation="exponential"):
    """Build the network: input ``task.input_shape``, one logit per class."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation '{activation}' is not one of {', '.join(ACTIVATIONS)}")
    x = inputs = keras.Input(task.input_shape)
    x = block(x, conv(32, 19, "same"), ACTIVATIONS[activation], 0.1)
    x = block(x, conv(48, 7, "same"), "relu", 0.2)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(96, 7, "valid"), "relu", 0.3)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(128, 3, "valid"), "relu", 0.4)
    x = layers.MaxPooling1D(3)(x)
    x = layers.Flatten()(x)
    x = block(x, dense(512), "relu", 0.5)
    logits = layers.Dense(task.num_outputs)(x)
    return keras.Model(inputs, logits)
