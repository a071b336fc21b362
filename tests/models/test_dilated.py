"""The dilated tower: full resolution to the end, and how far two sites can be told together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from motifidelity.models.dilated import build_model

TASK = SimpleNamespace(input_shape=(250, 4), num_outputs=4)


def test_a_base_reaches_forty_bases_and_no_further():
    import keras

    keras.utils.set_random_seed(3)
    network = build_model(TASK)
    tower = keras.Model(network.input, network.layers[-3].output)
    rng = np.random.default_rng(5)
    letters = np.eye(4, dtype="f4")[rng.integers(0, 4, 250)]
    other = letters.copy()
    other[125] = np.roll(other[125], 1)
    one, two = np.asarray(tower(np.stack([letters, other])))
    changed = np.flatnonzero(np.abs(one - two).max(axis=1) > 1e-5)
    # half of 19, and 1 + 2 + 4 + 8 + 16 on each side
    assert (changed.min(), changed.max()) == (125 - 40, 125 + 40)
    assert one.shape == (250, 64)
    assert network.output_shape == (None, 4)


def test_another_activation_is_refused_by_name():
    with pytest.raises(ValueError, match="activation 'tanh' is not one of relu, exponential"):
        build_model(TASK, activation="tanh")
