"""A network whose class brings its own training, in one of four places."""

import keras
from keras import layers

MODEL = {"name": "own training", "authors": "A. Author", "license": "MIT"}


class Fit(keras.Model):
    def fit(self, x, y, **options):
        return super().fit(x, y, **(options | {"batch_size": 10}))


class TrainStep(keras.Model):
    def train_step(self, data):
        super().train_step(data)
        return super().train_step(data)


class Compile(keras.Model):
    def compile(self, **options):
        super().compile(**(options | {"optimizer": keras.optimizers.Adam(3e-2)}))


class ComputeLoss(keras.Model):
    def compute_loss(self, *given, **options):
        return 2.0 * super().compute_loss(*given, **options)


CLASSES = {"fit": Fit, "train_step": TrainStep, "compile": Compile, "compute_loss": ComputeLoss}


def build_model(task, *, method="fit"):
    x = inputs = keras.Input(task.input_shape)
    x = layers.Conv1D(8, 11, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return CLASSES[method](inputs, layers.Dense(task.num_outputs)(x))
