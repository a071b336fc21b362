"""CNN-deep whose first layer starts, or rises, in another way: controls of the study.

Koo & Ploenzke, Nature Machine Intelligence 3, 258-266 (2021), and its public code: initial filters
drawn by another rule or with another standard deviation, and an exponential of another scale. With
its defaults it is CNN-deep. The file uses Keras alone and stands alone, as every submission.
"""

import keras
from keras import layers

MODEL = {
    "name": "CNN-deep first layer",
    "authors": "Peter K. Koo and Matt Ploenzke",
    "url": "https://doi.org/10.1038/s42256-020-00291-x",
    "license": "MIT",
}


def block(x, layer, activation, dropout, batch_norm=True):
    """Linear layer, batch norm, activation, dropout."""
    x = layer(x)
    if batch_norm:
        x = layers.BatchNormalization()(x)
    return layers.Dropout(dropout)(layers.Activation(activation)(x))


def conv(filters, width, padding, initializer="he_normal"):
    """Convolution as the study has it: no bias, L2 1e-6."""
    return layers.Conv1D(
        filters,
        width,
        padding=padding,
        use_bias=False,
        kernel_initializer=initializer,
        kernel_regularizer=keras.regularizers.L2(1e-6),
    )


def build_model(
    task,
    *,
    activation="exponential",
    initializer="he_normal",
    stddev=0.0,
    scale=1.0,
    batch_norm=True,
):
    """Build the network; all parameters are of the first layer.

    ``activation`` and ``initializer`` are names that Keras knows; ``stddev`` above 0 draws the
    filters from a normal distribution with that standard deviation instead. The activation is of
    ``scale`` times its input; a batch norm before it would learn the scale, hence ``batch_norm``.
    """
    function = keras.activations.get(activation)
    drawn = keras.initializers.RandomNormal(stddev=stddev) if stddev > 0 else initializer
    first = conv(32, 19, "same", drawn)
    x = inputs = keras.Input(task.input_shape)
    x = block(x, first, lambda x: function(scale * x), 0.1, batch_norm)
    x = block(x, conv(48, 7, "same"), "relu", 0.2)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(96, 7, "valid"), "relu", 0.3)
    x = layers.MaxPooling1D(4)(x)
    x = block(x, conv(128, 3, "valid"), "relu", 0.4)
    x = layers.MaxPooling1D(3)(x)
    x = layers.Flatten()(x)
    dense = layers.Dense(
        512,
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=keras.regularizers.L2(1e-6),
    )
    x = block(x, dense, "relu", 0.5)
    return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
